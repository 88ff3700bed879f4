import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ReleaseFailure } from "@ashlar/protocol";

/** As `ashlar-stop` in the initrd names a record: the boot's ID. */
const BOOT_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u;
const MAX_RECORDS = 64;
const MAX_RECORD_CHARACTERS = 4096;

/**
 * What the initrd has written down when it stopped the boot of a release on trial: the newest record since the release was
 * installed. A record's first line is `usrhash=` with the root hash of /usr of that boot.
 */
export async function findInitrdRecord(
  state: string,
  runningRootHash: string,
  sinceMs: number,
): Promise<Pick<ReleaseFailure, "bootId" | "check" | "message"> | undefined> {
  const directory = join(state, "failed-boots");
  const names = await readdir(directory).catch((): string[] => []);
  let newest: { readonly atMs: number; readonly bootId: string; readonly message: string } | undefined;
  for (const bootId of names.filter((name) => BOOT_ID.test(name)).slice(0, MAX_RECORDS)) {
    const path = join(directory, bootId);
    const [{ mtimeMs: atMs }, text] = await Promise.all([stat(path), readFile(path, "utf8")]);
    const [, rootHash, message] = /^usrhash=([0-9a-f]{64})\n([^]*)$/u.exec(text.slice(0, MAX_RECORD_CHARACTERS)) ?? [];
    if (rootHash === undefined || rootHash === runningRootHash || message === undefined || atMs < sinceMs) continue;
    if (newest === undefined || atMs > newest.atMs) newest = { atMs, bootId, message: message.trim() };
  }
  return newest === undefined ? undefined : { bootId: newest.bootId, check: "initrd", message: newest.message };
}
