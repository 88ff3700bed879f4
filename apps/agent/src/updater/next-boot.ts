import { readWholeTree } from "@ashlar/volumes";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { AshlarError } from "@ashlar/base";
import { digestFile, isMissing } from "@ashlar/host";
import { MAX_ESP_FILES, type NextBootReport, type SlotReport } from "@ashlar/protocol";
import { readBootVariables } from "./boot-variables.ts";
import type { NodePaths } from "../shared/node-paths.ts";
import { readRunningSystem } from "../shared/running-system.ts";
import { readScrubRecords, recordOf } from "../slots/scrub-records.ts";
import { readSlots } from "../slots/slots.ts";

const ESP_DIRECTORIES = ["EFI/Linux", "EFI/BOOT", "EFI/systemd", "loader"];
const MAX_LOADER_CONFIG_CHARACTERS = 16_384;
const MAX_DEPTH = 8;

type EspFile = NextBootReport["espFiles"][number];

/** What will boot next, as the disk and the firmware's variables say now. */
export async function readNextBoot(paths: NodePaths): Promise<NextBootReport> {
  const running = await readRunningSystem(paths);
  const [espFiles, loaderConfig, loaderVariables, slots] = await Promise.all([
    readEspFiles(paths.esp),
    readLoaderConfig(paths.esp),
    readBootVariables(paths.efiVariables),
    readSlotReports(paths, running.rootHash),
  ]);
  return { espFiles, loaderConfig, loaderVariables, slots };
}

async function readEspFiles(esp: string): Promise<EspFile[]> {
  const found: string[] = [];
  for (const directory of ESP_DIRECTORIES) await collectFiles(join(esp, directory), MAX_DEPTH, found);
  const files: EspFile[] = [];
  for (const path of found.toSorted()) {
    const { sizeBytes, digest: sha256 } = await digestFile(path);
    files.push({ path: relative(esp, path), sizeBytes, sha256 });
  }
  return files;
}

async function collectFiles(directory: string, depth: number, found: string[]): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && depth > 0) await collectFiles(path, depth - 1, found);
    else found.push(path);
    // One more is reported, so that whoever reads it sees that there are too many.
    if (found.length > MAX_ESP_FILES) return;
  }
}

async function readLoaderConfig(esp: string): Promise<string> {
  try {
    const text = await readFile(join(esp, "loader/loader.conf"), "utf8");
    if (text.length <= MAX_LOADER_CONFIG_CHARACTERS) return text;
  } catch (error) {
    if (isMissing(error)) return "";
    throw error;
  }
  throw new AshlarError("limit", `loader.conf: expected at most ${MAX_LOADER_CONFIG_CHARACTERS} characters`);
}

async function readSlotReports(paths: NodePaths, runningRootHash: string): Promise<SlotReport[]> {
  const [slots, records] = await Promise.all([readSlots(paths, runningRootHash), readScrubRecords(paths)]);
  const reports: SlotReport[] = [];
  for (const slot of slots) {
    const rootHash = (await readWholeTree(slot.treePath))?.rootHash ?? null;
    const record = recordOf(records, slot);
    // What was read under another tree says nothing about this one.
    const holds = record !== undefined && record.rootHash === rootHash && rootHash !== null;
    reports.push({
      label: slot.label,
      dataPartitionUuid: slot.dataPartitionUuid,
      hashPartitionUuid: slot.hashPartitionUuid,
      rootHash,
      badBlocks: holds ? record.badBlockCount : null,
      readAt: holds ? record.readAt : null,
    });
  }
  return reports;
}
