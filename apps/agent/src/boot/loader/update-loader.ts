import { rm } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError, messageOf } from "@ashlar/base";
import { sha256 } from "@ashlar/formats";
import { BOOT_LOADER_PATHS, unfinishedLoader } from "@ashlar/protocol";
import type { NodePaths } from "../../shared/node-paths.ts";
import { readRunningSystem } from "../../shared/running-system.ts";
import { withSlots } from "../../slots/slots-lock.ts";
import { readHealth } from "../health/run-health.ts";
import { isOnTrial } from "../trial.ts";
import { copiesToReplace } from "./decide-loader.ts";
import { readCopies, readOwnLoader, readRecord, writeProblem, writeRecord } from "./loader-notes.ts";
import { replaceOnFat } from "./replace-on-fat.ts";

/**
 * - `waiting`: the running release has not been found healthy, in this boot or at all: what has booted it stays.
 * - `current`: nothing is to be replaced; that may be because a newer release's is there.
 * - `replaced`: these files are now the running release's.
 */
export type LoaderOutcome =
  | { readonly kind: "waiting" }
  | { readonly kind: "current" }
  | { readonly kind: "replaced"; readonly paths: readonly string[] };

/**
 * Puts the running release's systemd-boot on the ESP, once the release has been found healthy: until then the node boots
 * with what has booted it before. The copy that firmware starts by itself comes last. May be interrupted at any point.
 *
 * @throws AshlarError why not; it is kept for the status, and the next boot tries again
 */
export async function updateLoader(paths: NodePaths): Promise<LoaderOutcome> {
  const health = await readHealth(paths);
  if (health?.healthy !== true || (await isOnTrial(paths))) return { kind: "waiting" };
  try {
    const outcome = await withSlots(paths, "ashlar agent boot-loader", async () => await replaceCopies(paths));
    await writeProblem(paths, null);
    return outcome;
  } catch (error) {
    const { code, message, hint } =
      error instanceof AshlarError
        ? error
        : new AshlarError("failed", `systemd-boot on the ESP is left as it is: ${messageOf(error)}`, { cause: error });
    await writeProblem(paths, { code, message, ...(hint === undefined ? {} : { hint }) });
    throw error;
  }
}

async function replaceCopies(paths: NodePaths): Promise<LoaderOutcome> {
  // What a power cut has left.
  for (const path of BOOT_LOADER_PATHS) await rm(join(paths.esp, unfinishedLoader(path)), { force: true });
  const [{ version }, content, record, copies] = await Promise.all([
    readRunningSystem(paths),
    readOwnLoader(paths),
    readRecord(paths),
    readCopies(paths),
  ]);
  const own = { version, sha256: sha256(content) };
  const replaced = copiesToReplace({ own, record, copies });
  for (const path of BOOT_LOADER_PATHS.toReversed()) {
    if (!replaced.includes(path)) continue;
    await replaceOnFat(join(paths.esp, path), join(paths.esp, unfinishedLoader(path)), content);
  }
  if ((await readCopies(paths)).every((copy) => copy.sha256 === own.sha256)) await writeRecord(paths, own);
  return replaced.length === 0 ? { kind: "current" } : { kind: "replaced", paths: replaced };
}
