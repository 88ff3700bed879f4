import { AshlarError } from "@ashlar/base";
import { isObject, objectsOf, textOf, type Decoded, type DecodedObject } from "../document/decoded.ts";
import type { Place } from "../document/origins.ts";
import { MAX_TREE_DEPTH, MAX_TREE_ENTRIES, normalPath, type LocalFiles } from "../local/local-files.ts";
import { dataUrl } from "../output/data-url.ts";
import { cleanPath } from "../validate/paths.ts";
import type { Context } from "./context.ts";
import { warnOutside, withLocal } from "./read-local.ts";

/** A file or link of a local tree. */
type Leaf = { readonly path: string; readonly target: string; readonly executable: boolean; readonly link?: string };

/** Turns local trees into files and links; directories come into being with what is in them. */
export function embedTrees(context: Context): void {
  const { storage } = context.config;
  if (!isObject(storage)) return;
  const trees = objectsOf(storage["trees"]);
  if (trees.length === 0) return;
  const nodes = new Nodes(storage, context);
  const budget = { entries: MAX_TREE_ENTRIES };
  for (const tree of trees) {
    const local = textOf(tree["local"]);
    if (local === "") {
      context.findings.error([tree], "expected local, the root of the tree, found none");
      continue;
    }
    const leaves = withLocal(context, local, [tree], (files, path) => leavesOf(files, path, treeTarget(tree), budget));
    const root = leaves === undefined ? undefined : normalPath(local);
    // A root that is itself a link is not followed.
    if (root !== undefined && leaves?.[0]?.path !== root) warnOutside(context, root, [tree]);
    for (const leaf of leaves ?? []) nodes.add(leaf, [tree]);
  }
  nodes.store();
}

function treeTarget(tree: DecodedObject): string {
  const path = textOf(tree["path"]);
  // A relative path stays relative, so that the checks report it.
  if (path === "" || path.startsWith("/")) return cleanPath(path);
  return cleanPath(`/${path}`).slice(1);
}

/** Depth first, in each directory in the order of the names' bytes. */
function leavesOf(files: LocalFiles, root: string, target: string, budget: { entries: number }): readonly Leaf[] {
  const leaves: Leaf[] = [];
  const visit = (path: string, at: string, depth: number): void => {
    const entry = files.look(path);
    if (depth === 0 && entry.kind !== "directory" && entry.leadsToDirectory !== true) {
      throw new AshlarError("invalid", `expected a directory as root of a tree, found ${path}`);
    }
    if (entry.kind === "directory") {
      if (depth >= MAX_TREE_DEPTH) {
        throw new AshlarError("limit", `expected at most ${MAX_TREE_DEPTH} directories inside each other, found more`);
      }
      for (const name of files.list(path).toSorted(compareBytes)) {
        budget.entries -= 1;
        if (budget.entries < 0) {
          throw new AshlarError("limit", `expected at most ${MAX_TREE_ENTRIES} entries in trees, found more`, {
            hint: "ship large trees as an extension image",
          });
        }
        visit(path === "" ? name : `${path}/${name}`, at === "/" ? `/${name}` : `${at}/${name}`, depth + 1);
      }
    } else if (entry.kind === "other") {
      throw new AshlarError("invalid", `expected files, directories and links in a tree, found another at ${path}`);
    } else {
      const leaf = { path, target: at, executable: entry.executable === true };
      leaves.push(entry.kind === "link" ? { ...leaf, link: entry.target ?? "" } : leaf);
    }
  };
  visit(root, target, 0);
  return leaves;
}

/** Orders texts as their UTF-8 bytes, which is by code points; UTF-16 has another order. */
function compareBytes(left: string, right: string): number {
  let index = 0;
  while (index < left.length && left[index] === right[index]) index += 1;
  return (left.codePointAt(index) ?? -1) - (right.codePointAt(index) ?? -1);
}

type Kind = "files" | "links";

/** The files and links of a config, to which those of trees are added. */
class Nodes {
  readonly #storage: DecodedObject;
  readonly #context: Context;
  readonly #byPath = new Map<string, { readonly kind: Kind | "directories"; readonly node: DecodedObject }>();
  readonly #added: Record<Kind, DecodedObject[]> = { files: [], links: [] };

  constructor(storage: DecodedObject, context: Context) {
    this.#storage = storage;
    this.#context = context;
    for (const kind of ["files", "directories", "links"] as const) {
      for (const node of objectsOf(storage[kind])) {
        this.#byPath.set(textOf(node["path"]), { kind, node });
      }
    }
  }

  add(leaf: Leaf, place: Place): void {
    const kind = leaf.link === undefined ? "files" : "links";
    const known = this.#byPath.get(leaf.target);
    if (known !== undefined && !(known.kind === kind && isOpen(known.node, kind))) {
      const hint = "an entry for a path in a tree may set attributes, not contents, target or another type";
      this.#context.findings.error(place, `expected ${leaf.target} once, found it both in a tree and elsewhere`, hint);
      return;
    }
    const node = known?.node ?? this.#create(kind, leaf.target, place);
    if (leaf.link === undefined) this.#fillFile(node, leaf, place);
    else node["target"] = leaf.link;
  }

  #create(kind: Kind, path: string, place: Place): DecodedObject {
    const node: DecodedObject = { path };
    this.#context.origins.derive(node, place);
    this.#byPath.set(path, { kind, node });
    this.#added[kind].push(node);
    return node;
  }

  #fillFile(node: DecodedObject, leaf: Leaf, place: Place): void {
    const bytes = withLocal(this.#context, leaf.path, place, (files) => files.read(leaf.path));
    const given = isObject(node["contents"]) ? node["contents"] : undefined;
    const contents = given ?? {};
    if (given === undefined) this.#context.origins.derive(contents, place);
    const compression = contents["compression"];
    Object.assign(
      contents,
      dataUrl(bytes ?? new Uint8Array(0), compression === undefined ? undefined : textOf(compression)),
    );
    node["contents"] = contents;
    node["mode"] ??= leaf.executable ? 0o755 : 0o644;
  }

  store(): void {
    for (const kind of ["files", "links"] as const) {
      const nodes: Decoded[] = [...objectsOf(this.#storage[kind]), ...this.#added[kind]];
      this.#context.origins.derive(nodes, [this.#storage, kind]);
      if (nodes.length > 0) this.#storage[kind] = nodes;
    }
  }
}

/** Whether an entry leaves to the tree what the tree has to say. */
function isOpen(node: DecodedObject, kind: Kind): boolean {
  if (kind === "links") return textOf(node["target"]) === "";
  const { contents } = node;
  return !isObject(contents) || contents["source"] === undefined;
}
