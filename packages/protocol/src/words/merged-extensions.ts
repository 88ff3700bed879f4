import type { ExtensionKind } from "../manifests/extension-manifest.ts";
import type { ExtensionWord } from "./extension-words.ts";

/** An extension by what was measured of it. */
export type MeasuredExtension = { readonly kind: ExtensionKind; readonly name: string; readonly rootHash: string };

export type MeasuredExtensions = {
  /** What is merged now, sorted by name, then kind. */
  readonly merged: readonly MeasuredExtension[];
  /** What was merged earlier in this boot and is no more, each once, in the order in which it came. */
  readonly earlier: readonly MeasuredExtension[];
};

/** What the words of one boot say, in their order: of each extension the last one counts. */
export function foldExtensionWords(words: readonly ExtensionWord[]): MeasuredExtensions {
  const now = new Map<string, MeasuredExtension>();
  const ever = new Map<string, MeasuredExtension>();
  for (const { kind, name, rootHash } of words) {
    const key = `${kind}:${name}`;
    if (rootHash === null) now.delete(key);
    else {
      now.set(key, { kind, name, rootHash });
      ever.set(`${key}:${rootHash}`, { kind, name, rootHash });
    }
  }
  const merged = [...now.values()].toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  const earlier = [...ever.values()].filter(
    ({ kind, name, rootHash }) => now.get(`${kind}:${name}`)?.rootHash !== rootHash,
  );
  return { merged, earlier };
}

function sortKey({ name, kind }: MeasuredExtension): string {
  return `${name}:${kind}`;
}
