import { createHash, type KeyObject } from "node:crypto";
import { basename, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { digestFile, readText, writeFileAtomically } from "@ashlar/host";
import type { Signer, SnapshotDigests } from "@ashlar/statements";
import { nameOf, snapshotsIn, type Check, type FailedNode, type SnapshotPath } from "./read-nodes.ts";

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

/** A directory of snapshots, of which only those count that somebody has signed. */
export class SignedDirectory {
  readonly #digests: SnapshotDigests;

  private constructor(digests: SnapshotDigests) {
    this.#digests = digests;
  }

  /** @throws AshlarError `not-found` where nothing was signed, `untrusted`, `malformed`, `limit` */
  static async open(directory: string, publicKey: KeyObject): Promise<SignedDirectory> {
    const { parseSignedSnapshots } = await import("@ashlar/statements");
    const text = await readText(join(directory, FILE), "signed snapshots");
    return new SignedDirectory(parseSignedSnapshots(text, publicKey));
  }

  /** @throws AshlarError `untrusted` */
  readonly check: Check = (path, bytes) => {
    const signed = this.#digests.get(basename(path));
    if (signed === createHash("sha256").update(bytes).digest("hex")) return;
    const found = signed === undefined ? "one that was not" : "another";
    throw new AshlarError("untrusted", `expected a snapshot that was signed, found ${found}`);
  };

  /** Snapshots that were signed and are gone: a node must not vanish in silence. */
  missing(found: readonly SnapshotPath[]): FailedNode[] {
    const there = new Set(found.map(({ path }) => basename(path)));
    return [...this.#digests.keys()]
      .filter((name) => !there.has(name))
      .map((name) => ({ name: nameOf(name), problem: "its snapshot was signed, and is not there" }));
  }
}
