/**
 * A parsed document before it means anything: what was written, and where. YAML and JSON both become this; schemas then
 * turn it into values. Offsets count UTF-16 units from the start of the text.
 */
export type Tree = ScalarTree | MapTree | ListTree | AliasTree;

export type ScalarTree = {
  readonly kind: "scalar";
  readonly offset: number;
  readonly text: string;
  /** Whether quotes or a block indicator say that it is a string. */
  readonly quoted: boolean;
  /** An explicit tag in its long form, for example `tag:yaml.org,2002:int`. */
  readonly tag?: string;
};

export type MapTree = { readonly kind: "map"; readonly offset: number; readonly entries: readonly Entry[] };

export type Entry = { readonly key: Tree; readonly value: Tree };

export type ListTree = { readonly kind: "list"; readonly offset: number; readonly items: readonly Tree[] };

/** A reference to an anchored tree; places inside the target belong to the anchor, not to the alias. */
export type AliasTree = { readonly kind: "alias"; readonly offset: number; readonly target: Tree };

/** What an alias stands for; itself for everything else. */
export function resolved(tree: Tree): Exclude<Tree, AliasTree> {
  let current = tree;
  while (current.kind === "alias") current = current.target;
  return current;
}

/** The tree under one key of a map or index of a list, not looking through aliases. The last of equal keys counts. */
export function childOf(tree: Tree | undefined, key: string | number): Tree | undefined {
  if (tree?.kind === "list") return typeof key === "number" ? tree.items[key] : undefined;
  return tree?.kind === "map" ? entryOf(tree, String(key))?.value : undefined;
}

function entryOf(tree: MapTree, key: string): Entry | undefined {
  return tree.entries.findLast((entry) => entry.key.kind === "scalar" && entry.key.text === key);
}
