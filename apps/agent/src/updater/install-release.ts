import { mkdir, open, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { run } from "@ashlar/host";
import { reportLine, reportText } from "@ashlar/host/terminal";
import { ENTRY_DIRECTORY, listBootEntries, removeBootEntries } from "../slots/boot-entries.ts";
import type { NodePaths } from "../shared/node-paths.ts";
import { findSlotProblem, findUkiProblem } from "../slots/check-installed.ts";
import { replacedEntries, type UpdateFacts } from "./decide-update.ts";
import type { OrderContext } from "./order-book.ts";
import { readyDirectory } from "./ready-directory.ts";
import type { ReleaseSummary } from "@ashlar/repository-index";
import { forgetScrubRecord } from "../slots/scrub-records.ts";
import { findDisk, readSlots, type Slot } from "../slots/slots.ts";

const TRIES = 2;
const COPY_BYTES = 1024 * 1024;

/**
 * Writes the release that is ready into the target slot by systemd-sysupdate, and reads back all of it. The release that
 * the slot held does not boot any more from the first write on, and the new one only when all of it is there.
 *
 * @throws AshlarError `failed`: then the new release has no boot entry
 */
export async function installRelease(
  paths: NodePaths,
  facts: UpdateFacts,
  target: Slot,
  summary: ReleaseSummary,
  { report, signal }: OrderContext,
): Promise<void> {
  const { version } = summary;
  const { running } = facts;
  for (let attempt = 1; ; attempt++) {
    report({ phase: "installing" });
    for (const entry of replacedEntries(facts, target)) await removeBootEntries(paths.esp, entry.version);
    await removeBootEntries(paths.esp, version);
    await forgetScrubRecord(paths, target);
    await nameDisk(paths, running.rootHash);
    await runSysupdate(paths, version, signal);

    report({ phase: "checking-slots" });
    const slots = await readSlots(paths, running.rootHash);
    const slot = slots.find(
      ({ dataPartitionUuid, hashPartitionUuid }) =>
        dataPartitionUuid === summary.usr.dataPartitionUuid && hashPartitionUuid === summary.usr.hashPartitionUuid,
    );
    const problem =
      slot?.version === version
        ? ((await findSlotProblem(paths, slot, slots, signal)) ?? (await findUkiProblem(paths, summary)))
        : `no slot is labelled ashlar_${version} and has the release's partition UUIDs`;
    if (problem === undefined) return;
    reportText(`what was written is not what was to be written: ${problem}`);
    await removeBootEntries(paths.esp, version);
    if (slot === undefined || attempt === TRIES) {
      throw new AshlarError("failed", `${version} is not installed: ${problem}`, {
        hint: "the disk may be failing: see the node's journal, and try again",
      });
    }
    // An interrupted update may have left a slot that systemd-sysupdate takes for written.
    await writeSlot(paths, slot, version, signal);
  }
}

/** The transfers that write to partitions. */
const PARTITION_TRANSFERS = ["10-usr", "20-usr-verity"];

/** systemd-sysupdate finds the disk by what /usr is mounted from; with an extension merged over it, that is no disk. */
async function nameDisk(paths: NodePaths, rootHash: string): Promise<void> {
  const disk = await findDisk(paths, rootHash);
  for (const name of PARTITION_TRANSFERS) {
    const directory = join(paths.sysupdateRuntime, `${name}.transfer.d`);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "disk.conf"), `[Target]\nPath=${disk}\n`);
  }
}

async function runSysupdate(paths: NodePaths, version: string, signal: AbortSignal): Promise<void> {
  await run(paths.sysupdate, ["update", version], { signal, onLine: (line) => reportLine(`sysupdate: ${line}`) });
  const entries = await listBootEntries(paths.esp);
  const entry = entries.find((each) => each.version === version);
  if (entry === undefined) return;
  // On the disk, before anything is said to be there.
  for (const path of [join(paths.esp, ENTRY_DIRECTORY, entry.fileName), join(paths.esp, ENTRY_DIRECTORY)]) {
    await using handle = await open(path, "r");
    await handle.sync();
  }
}

/** Copies the release's files into a slot that already has its labels. */
async function writeSlot(paths: NodePaths, slot: Slot, version: string, signal: AbortSignal): Promise<void> {
  const ready = readyDirectory(paths);
  const names = await readdir(ready);
  for (const [path, suffix] of [
    [slot.dataPath, ".usr.raw"],
    [slot.treePath, ".usr-verity.raw"],
  ] as const) {
    const name = names.find((each) => each.startsWith(`ashlar_${version}_`) && each.endsWith(suffix));
    if (name === undefined)
      throw new AshlarError("failed", `expected the release's *${suffix} in ${ready}, found none`);
    await copyOnto(join(ready, name), path, signal);
  }
}

async function copyOnto(source: string, target: string, signal: AbortSignal): Promise<void> {
  const { size } = await stat(source);
  await using from = await open(source, "r");
  await using to = await open(target, "r+");
  const buffer = Buffer.alloc(COPY_BYTES);
  for (let position = 0; position < size;) {
    if (signal.aborted) throw new AshlarError("interrupted", "interrupted while writing a slot");
    const { bytesRead } = await from.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) throw new AshlarError("failed", `${source}: expected ${size} bytes, found ${position}`);
    await to.write(buffer, 0, bytesRead, position);
    position += bytesRead;
  }
  await to.sync();
}
