import { hash, type KeyObject } from "node:crypto";
import { basename, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { digestFile, readText, writeFileAtomically } from "@ashlar/host";
import type { Signer } from "@ashlar/statements";
import { nameOf, snapshotsIn, type FailedNode, type SnapshotPath } from "./read-nodes.ts";

const FILE = "snapshots.intoto.json";
/** For its owner alone, as snapshots are: names of nodes are in it. */
const MODE = 0o600;

/** Signs which snapshots there are in a directory, and what is in them. */
export async function signDirectory(directory: string, signer: Signer): Promise<void> {
  const { signSnapshots } = await import("@ashlar/statements");
  const digests = new Map<string, string>();
  for (const { path } of await snapshotsIn(directory)) digests.set(basename(path), (await digestFile(path)).digest);
  await writeFileAtomically(join(directory, FILE), signSnapshots(digests, signer), MODE);
}

/** What a directory has, and what it should have. */
export type KeptSnapshots = { readonly files: readonly SnapshotPath[]; readonly missing: readonly FailedNode[] };

/**
 * The snapshots in a directory; with a key only those count that it has signed.
 *
 * @throws AshlarError `not-found` where there are none or nothing was signed, `untrusted`, `malformed`, `limit`
 */
export async function keptSnapshots(directory: string, publicKey: KeyObject | undefined): Promise<KeptSnapshots> {
  const files = await snapshotsIn(directory);
  if (publicKey === undefined) return { files, missing: [] };
  const { parseSignedSnapshots } = await import("@ashlar/statements");
  const text = await readText(join(directory, FILE), "signed snapshots");
  const digests = parseSignedSnapshots(text, publicKey);
  const there = new Set(files.map(({ path }) => basename(path)));
  return {
    files: files.map(({ name, path }) => ({
      name,
      path,
      check: (bytes) => checkDigest(bytes, digests.get(basename(path))),
    })),
    // A node must not vanish in silence.
    missing: [...digests.keys()]
      .filter((name) => !there.has(name))
      .map((name) => ({ name: nameOf(name), problem: "its snapshot was signed, and is not there" })),
  };
}

/** @throws AshlarError `untrusted` */
function checkDigest(bytes: Uint8Array, signed: string | undefined): void {
  if (signed === hash("sha256", bytes)) return;
  const found = signed === undefined ? "one that was not" : "another";
  throw new AshlarError("untrusted", `expected a snapshot that was signed, found ${found}`);
}
