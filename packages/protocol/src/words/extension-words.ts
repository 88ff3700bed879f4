/**
 * The words by which a node measures its extensions into PCR 13, after the two words of its configuration. This file
 * needs no schema library, so that a node loads none.
 *
 *     sysext:NAME:ROOTHASH    extended before the image is merged; it takes the place of an earlier one of that name
 *     sysext:NAME:removed     extended after the extension was unmerged
 *
 * and the same with `confext`. Root hashes are 64 lower-case hexadecimal digits. What is merged follows from the whole
 * sequence: a PCR cannot be turned back while the node runs, so a word stays in the log for good.
 */
import type { ExtensionKind } from "../manifests/extension-manifest.ts";

export type ExtensionWord = {
  readonly kind: ExtensionKind;
  readonly name: string;
  /** Null: it was unmerged. */
  readonly rootHash: string | null;
};

/** Names are those of systemd's extension images, without `.raw`. */
export const EXTENSION_NAME_PATTERN: RegExp = /^[a-z][a-z0-9-]{0,62}$/u;

export function extensionWord({ kind, name, rootHash }: ExtensionWord): string {
  return `${kind}:${name}:${rootHash ?? REMOVED}`;
}

const REMOVED = "removed";
const WORD = /^(?<kind>sysext|confext):(?<name>[a-z][a-z0-9-]{0,62}):(?<rootHash>[0-9a-f]{64}|removed)$/u;

/** What a word of PCR 13 says, or undefined when it is another word. */
export function parseExtensionWord(word: string): ExtensionWord | undefined {
  const { kind, name, rootHash } = WORD.exec(word)?.groups ?? {};
  if (name === undefined || rootHash === undefined) return undefined;
  return { kind: kind === "confext" ? "confext" : "sysext", name, rootHash: rootHash === REMOVED ? null : rootHash };
}
