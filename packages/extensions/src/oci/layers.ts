import { AshlarError } from "@ashlar/base";
import type { TarEntry } from "./tar.ts";

/** A file of an image as its layers leave it; `layer` says whose archive has the content. */
export type LayerNode = TarEntry & { readonly layer: number };

/** A place in the image, with what is there and below. Directories need no entry of their own. */
type Place = { node: LayerNode | undefined; addedBy: number; readonly children: Map<string, Place> };

/** Layers hide files of those below by these names (OCI Image Format Specification, "Image Layer Filesystem Changeset"). */
const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";
const MAX_LINKS = 40;

/**
 * What an image holds, layer upon layer. Nothing is written: links in the way of a path are followed here, and so never
 * lead out.
 */
export class Layers {
  readonly #root: Place = newPlace();
  #layer = -1;

  /**
   * Puts a layer on top.
   *
   * @throws AshlarError `malformed`
   */
  add(entries: Iterable<TarEntry>): void {
    this.#layer++;
    for (const entry of entries) {
      if (entry.path === "") continue;
      const parts = entry.path.split("/");
      const name = parts.pop() ?? "";
      if (name === OPAQUE) this.#hideBelow(this.#find(parts));
      else if (name.startsWith(WHITEOUT)) this.#hide(this.#find(parts), name.slice(WHITEOUT.length));
      else this.#put(this.#make(parts), name, entry);
    }
  }

  /** Everything that is left, each directory before what it holds; sorted by name. */
  nodes(): LayerNode[] {
    const found: LayerNode[] = [];
    const visit = ({ children }: Place, parent: string): void => {
      for (const [name, place] of [...children].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
        const path = parent === "" ? name : `${parent}/${name}`;
        if (place.node !== undefined) found.push({ ...place.node, path });
        visit(place, path);
      }
    };
    visit(this.#root, "");
    return found;
  }

  #put(parent: Place, name: string, entry: TarEntry): void {
    const content = entry.type === "hard-link" ? this.#linked(entry) : { ...entry, layer: this.#layer };
    const place = parent.children.get(name) ?? newPlace();
    if (content.type !== "directory") place.children.clear();
    place.node = content;
    place.addedBy = this.#layer;
    parent.children.set(name, place);
  }

  /** A hard link is the file that it names. */
  #linked(entry: TarEntry): LayerNode {
    const parts = entry.linkTarget.split("/").filter((part) => part !== "" && part !== ".");
    const name = parts.pop() ?? "";
    const target = this.#find(parts)?.children.get(name)?.node;
    if (target?.type === "file") return target;
    throw new AshlarError(
      "malformed",
      `${entry.path}: expected a hard link to a file, found one to ${entry.linkTarget}`,
    );
  }

  /** Whiteouts hide what is below their own layer, not what it brings itself. */
  #hide(parent: Place | undefined, name: string): void {
    const place = parent?.children.get(name);
    if (place === undefined) return;
    this.#hideBelow(place);
    if (place.addedBy !== this.#layer) place.node = undefined;
    if (place.node === undefined && place.children.size === 0) parent?.children.delete(name);
  }

  #hideBelow(place: Place | undefined): void {
    for (const name of place?.children.keys() ?? []) this.#hide(place, name);
  }

  /** The place of a directory, made where there is none. */
  #make(parts: readonly string[]): Place {
    return (
      this.#walk(parts, (parent, name) => {
        const place = newPlace();
        parent.children.set(name, place);
        return place;
      }) ?? this.#root
    );
  }

  #find(parts: readonly string[]): Place | undefined {
    return this.#walk(parts, () => undefined);
  }

  /** Goes down from the root, through links as if the image's root were the system's. */
  #walk(parts: readonly string[], miss: (parent: Place, name: string) => Place | undefined): Place | undefined {
    let way: readonly Place[] = [this.#root];
    let left = parts;
    for (let links = 0; left.length > 0;) {
      const [name = "", ...rest] = left;
      left = rest;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        way = way.length > 1 ? way.slice(0, -1) : way;
        continue;
      }
      const parent = way.at(-1) ?? this.#root;
      const place = parent.children.get(name) ?? miss(parent, name);
      if (place === undefined) return undefined;
      const type = place.node?.type ?? "directory";
      if (type === "link") {
        if (++links > MAX_LINKS)
          throw new AshlarError("malformed", `${parts.join("/")}: expected at most ${MAX_LINKS} links`);
        const { linkTarget = "" } = place.node ?? {};
        if (linkTarget.startsWith("/")) way = [this.#root];
        left = [...linkTarget.split("/"), ...left];
      } else if (type === "directory") way = [...way, place];
      else throw new AshlarError("malformed", `${parts.join("/")}: expected a directory, found a ${type} on the way`);
    }
    return way.at(-1);
  }
}

function newPlace(): Place {
  return { node: undefined, addedBy: -1, children: new Map() };
}
