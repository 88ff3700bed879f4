/**
 * A root role that is not in effect yet, as a file that goes from one holder of a key to the next. It has the repository's
 * root roles along, so that each of them can see, without a network, that it follows the one which they trust.
 */
import { isDeepStrictEqual } from "node:util";
import { AshlarError, messageOf } from "@ashlar/base";
import { Metadata, MetadataKind, type Root } from "@tufjs/models";
import { TrustedMetadataStore } from "tuf-js/dist/store.js";
import { MAX_ROOTS } from "@ashlar/repository-index";
import { checkRoot, readRoot } from "../publish/root-role.ts";
import { metadataBytes } from "../publish/sign-role.ts";

export type RootProposal = {
  /** From the oldest that is known to the one in effect; each was signed by the keys of the one before. */
  readonly roots: readonly Metadata<Root>[];
  readonly current: Metadata<Root>;
  readonly next: Metadata<Root>;
};

const SCHEMA = "ashlar-next-root-1";
export const MAX_PROPOSAL_BYTES: number = 16 * 1024 * 1024;

export function writeProposal({ roots, next }: Pick<RootProposal, "roots" | "next">): string {
  const content = { schema: SCHEMA, next: next.toJSON(), roots: roots.map((root) => root.toJSON()) };
  return `${JSON.stringify(content, undefined, 1)}\n`;
}

/** @throws AshlarError `malformed`, `limit`, `untrusted` when a root role does not follow from the one before */
export function parseProposal(where: string, bytes: Buffer): RootProposal {
  if (bytes.length > MAX_PROPOSAL_BYTES) {
    throw new AshlarError("limit", `${where}: expected at most ${MAX_PROPOSAL_BYTES} bytes, found ${bytes.length}`);
  }
  const { roots, next } = parse(where, bytes);
  const current = roots.at(-1);
  if (current === undefined || roots.length > MAX_ROOTS) {
    throw new AshlarError("malformed", `${where}: expected 1 to ${MAX_ROOTS} root roles, found ${roots.length}`);
  }
  checkRoot(where, current.signed);
  checkRoot(where, next.signed);
  if (next.signed.version !== current.signed.version + 1) {
    throw new AshlarError("malformed", `${where}: root role ${next.signed.version} after ${current.signed.version}`);
  }
  expectChain(where, roots);
  return { roots, current, next };
}

function parse(where: string, bytes: Buffer): Pick<RootProposal, "roots" | "next"> {
  try {
    const content: unknown = JSON.parse(bytes.toString("utf8"));
    if (typeof content !== "object" || content === null) throw new TypeError("no object");
    const { schema, roots, next } = content as { schema?: unknown; roots?: unknown; next?: unknown };
    if (schema !== SCHEMA) throw new TypeError(`no "schema": "${SCHEMA}"`);
    if (!Array.isArray(roots)) throw new TypeError("no list of root roles");
    return { roots: roots.map(rootOf), next: rootOf(next) };
  } catch (error) {
    throw new AshlarError("malformed", `${where}: expected a root role to sign, found ${messageOf(error)}`, {
      hint: "give the file that `ashlar release rotate-keys` has written",
      cause: error,
    });
  }
}

function rootOf(value: unknown): Metadata<Root> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whatever it is, the model looks at each part of it
  return Metadata.fromJSON(MetadataKind.Root, value as Parameters<typeof Metadata.fromJSON>[1]);
}

/** @throws AshlarError `untrusted` */
function expectChain(where: string, roots: readonly Metadata<Root>[]): void {
  const [first, ...rest] = roots.map((root) => metadataBytes(root));
  if (first === undefined) return;
  try {
    const store = new TrustedMetadataStore(first);
    for (const bytes of rest) store.updateRoot(bytes);
  } catch (error) {
    throw new AshlarError("untrusted", `${where}: its root roles do not follow from each other: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * That the role in effect, says the proposal, comes from the one which is trusted here.
 *
 * @throws AshlarError `untrusted`, `conflict` when the trusted one is as new as the proposed
 */
export function expectFollows(where: string, { roots, current }: RootProposal, trustedRoot: Buffer): void {
  const { version } = readRoot(trustedRoot).signed;
  if (version > current.signed.version) {
    throw new AshlarError("conflict", `${where}: root role ${version} is in effect already`, {
      hint: "prepare it again with `ashlar release rotate-keys`",
    });
  }
  expectChain(`${where}, from the trusted root role`, [
    readRoot(trustedRoot),
    ...roots.filter(({ signed }) => signed.version > version),
  ]);
  const same = roots.find(({ signed }) => signed.version === version);
  if (same === undefined || isDeepStrictEqual(same.signed.toJSON(), readRoot(trustedRoot).signed.toJSON())) return;
  throw new AshlarError("untrusted", `${where}: root role ${version} is another than the trusted one`, {
    hint: "it is of another repository, or somebody has changed the file",
  });
}

export type MissingSignatures = {
  /** The keys in effect now, or those that shall be. */
  readonly of: "current" | "next";
  readonly version: number;
  readonly count: number;
  readonly keyIds: readonly string[];
};

/** Whose signatures the next role lacks: a threshold of the present root keys and one of its own (section 5.3.4). */
export function missingSignatures({ current, next }: RootProposal): MissingSignatures[] {
  const sets = [
    ["current", current],
    ["next", next],
  ] as const;
  return sets.flatMap(([of, { signed }]) => {
    const { keyIDs = [], threshold = 1 } = signed.roles["root"] ?? {};
    const keyIds = keyIDs.filter((id) => !hasSigned(next, signed, id));
    const count = threshold - (keyIDs.length - keyIds.length);
    return count <= 0 ? [] : [{ of, version: signed.version, count, keyIds }];
  });
}

function hasSigned(metadata: Metadata<Root>, { keys }: Root, id: string): boolean {
  try {
    keys[id]?.verifySignature(metadata);
    return keys[id] !== undefined;
  } catch {
    return false;
  }
}

/** Takes signatures over from another copy of the same proposal, as far as they are good. */
export function mergeSignatures({ current, next }: RootProposal, other: RootProposal): void {
  for (const { signed } of [current, next]) {
    for (const id of signed.roles["root"]?.keyIDs ?? []) {
      const signature = other.next.signatures[id];
      if (signature !== undefined && hasSigned(other.next, signed, id)) next.signatures[id] = signature;
    }
  }
}
