import { AshlarError } from "@ashlar/base";
import type { TarEntry } from "@ashlar/formats";

/** A file of an image as its layers leave it; `layer` says whose archive has the content. */
export type LayerNode = TarEntry & { readonly layer: number };

/** A place in the image, with what is there and below. Directories need no entry of their own. */
type Place = {
  node: LayerNode | undefined;
  addedBy: number;
  /** The root has none. */
  readonly parent: Place | undefined;
  readonly depth: number;
  /** Of its path. */
  readonly sizeBytes: number;
  readonly children: Map<string, Place>;
};

/** Layers hide files of those below by these names (OCI Image Format Specification, "Image Layer Filesystem Changeset"). */
const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";
const MAX_LINKS = 40;

/** What the layers of one image may cost. A million files whose paths have ten names stay below it. */
const MAX_STEPS = 10_000_000;
const MAX_MEMORY_BYTES: number = 512 * 2 ** 20;
/** Of an entry or a place, without its names. */
const OBJECT_BYTES = 256;
const MAX_DEPTH = 512;
const MAX_SHOWN_CHARACTERS = 100;

/**
 * What an image holds, layer upon layer. Nothing is written: links in the way of a path are followed here, and so never
 * lead out.
 */
export class Layers {
  readonly #root: Place = {
    node: undefined,
    addedBy: -1,
    parent: undefined,
    depth: 0,
    sizeBytes: 0,
    children: new Map(),
  };
  #layer = -1;
  #steps = 0;
  #memoryBytes = 0;

  /**
   * Puts a layer on top.
   *
   * @throws AshlarError `malformed`, `limit`
   */
  add(entries: Iterable<TarEntry>): void {
    this.#layer++;
    const read: TarEntry[] = [];
    const directories: TarEntry[] = [];
    for (const entry of entries) {
      const { path, type, linkTarget, attributes } = entry;
      this.#keep(attributes.reduce((sum, { length }) => sum + length, path.length + linkTarget.length));
      if (path === "") continue;
      read.push(entry);
      if (type === "directory") directories.push(entry);
    }
    // A layer's own directory takes the place of a link or file below before anything goes into it or hides what is in it,
    // wherever in the archive its entry stands.
    for (const entry of directories.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
      if (this.#isInTheWay(entry.path)) this.#put(entry);
    }
    for (const entry of read) {
      const name = entry.path.slice(entry.path.lastIndexOf("/") + 1);
      if (!name.startsWith(WHITEOUT)) {
        this.#put(entry);
        continue;
      }
      const parent = entry.path.slice(0, -name.length - 1);
      const place = this.#find(partsOf(parent), entry.path);
      if (name === OPAQUE) this.#hideBelow(place);
      else this.#hide(place, name.slice(WHITEOUT.length));
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

  #put(entry: TarEntry): void {
    const parts = partsOf(entry.path);
    const name = parts.pop() ?? "";
    const parent = this.#make(parts, entry.path);
    const content = entry.type === "hard-link" ? this.#linked(entry) : { ...entry, layer: this.#layer };
    const place = parent.children.get(name) ?? this.#newPlace(parent, name, entry.path);
    if (content.type !== "directory") place.children.clear();
    place.node = content;
    place.addedBy = this.#layer;
  }

  /** Whether something that is no directory is at the path. What is wrong with the way there is told when an entry is put. */
  #isInTheWay(path: string): boolean {
    const parts = partsOf(path);
    const name = parts.pop() ?? "";
    try {
      const node = this.#find(parts, path)?.children.get(name)?.node;
      return node !== undefined && node.type !== "directory";
    } catch (error) {
      if (error instanceof AshlarError && error.code === "malformed") return false;
      throw error;
    }
  }

  #newPlace(parent: Place, name: string, path: string): Place {
    const depth = parent.depth + 1;
    if (depth > MAX_DEPTH) throw limit(`${shortened(path)}: expected at most ${MAX_DEPTH} names in a path`);
    const sizeBytes = parent.sizeBytes + name.length + 1;
    this.#keep(sizeBytes);
    const place: Place = { node: undefined, addedBy: -1, parent, depth, sizeBytes, children: new Map() };
    parent.children.set(name, place);
    return place;
  }

  #keep(sizeBytes: number): void {
    this.#memoryBytes += OBJECT_BYTES + sizeBytes;
    if (this.#memoryBytes > MAX_MEMORY_BYTES)
      throw limit(`expected names of at most ${MAX_MEMORY_BYTES / 2 ** 20} MiB in all layers, found more`);
  }

  #step(): void {
    if (++this.#steps > MAX_STEPS)
      throw limit(`expected layers that are laid over each other in ${MAX_STEPS} steps, found more`);
  }

  /** A hard link is the file that it names. */
  #linked(entry: TarEntry): LayerNode {
    const parts = partsOf(entry.linkTarget);
    const name = parts.pop() ?? "";
    const target = this.#find(parts, entry.path)?.children.get(name)?.node;
    if (target?.type === "file") return target;
    const found = JSON.stringify(shortened(entry.linkTarget));
    throw new AshlarError(
      "malformed",
      `${shortened(entry.path)}: expected a hard link to a file, found one to ${found}`,
    );
  }

  /** Whiteouts hide what is below their own layer, not what it brings itself. */
  #hide(parent: Place | undefined, name: string): void {
    const place = parent?.children.get(name);
    if (place === undefined) return;
    this.#step();
    this.#hideBelow(place);
    if (place.addedBy !== this.#layer) place.node = undefined;
    if (place.node === undefined && place.children.size === 0) parent?.children.delete(name);
  }

  #hideBelow(place: Place | undefined): void {
    for (const name of place?.children.keys() ?? []) this.#hide(place, name);
  }

  /** The place of a directory, made where there is none. */
  #make(parts: readonly string[], path: string): Place {
    return this.#walk(parts, path, (parent, name) => this.#newPlace(parent, name, path)) ?? this.#root;
  }

  #find(parts: readonly string[], path: string): Place | undefined {
    return this.#walk(parts, path, () => undefined);
  }

  /** Goes down from the root, through links as if the image's root were the system's. */
  #walk(
    parts: readonly string[],
    path: string,
    miss: (parent: Place, name: string) => Place | undefined,
  ): Place | undefined {
    let here = this.#root;
    let links = 0;
    // What is left of the way, its next name last.
    const left = parts.toReversed();
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      this.#step();
      if (name === "" || name === ".") continue;
      if (name === "..") {
        here = here.parent ?? here;
        continue;
      }
      const place = here.children.get(name) ?? miss(here, name);
      if (place === undefined) return undefined;
      const type = place.node?.type ?? "directory";
      if (type === "link") {
        if (++links > MAX_LINKS)
          throw new AshlarError("malformed", `${shortened(path)}: expected at most ${MAX_LINKS} links on the way`);
        const { linkTarget = "" } = place.node ?? {};
        if (linkTarget.startsWith("/")) here = this.#root;
        left.push(...linkTarget.split("/").toReversed());
      } else if (type === "directory") here = place;
      else throw new AshlarError("malformed", `${shortened(path)}: expected a directory, found a ${type} on the way`);
    }
    return here;
  }
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

function shortened(path: string): string {
  return path.length > MAX_SHOWN_CHARACTERS ? `${path.slice(0, MAX_SHOWN_CHARACTERS)}...` : path;
}

function limit(message: string): AshlarError {
  return new AshlarError("limit", message);
}
