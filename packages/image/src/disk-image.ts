import { rm, truncate, writeFile, open } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import {
  bootEntryId,
  KEY_VARIABLES,
  LOADER_CONFIG,
  loaderConfigFor,
  type GptPartition,
  PARTITION_ATTRIBUTES,
  PARTITION_TYPES,
  SECTOR_BYTES,
  writeGpt,
} from "@ashlar/formats";
import { run } from "@ashlar/host";
import { BOOT_LOADER_PATHS, ENROLMENT_PATHS } from "@ashlar/protocol";
import { copyInto, uuidFor } from "@ashlar/volumes";
import type { ImageSecureBoot } from "./secure-boot.ts";
import type { UsrImage } from "./usr-image.ts";

const MEBIBYTE = 1024 * 1024;

/** Room for two UKIs and a third that is being written. */
const ESP_BYTES = 256 * MEBIBYTE;
/** Four times today's /usr: a slot cannot grow later. */
export const USR_SLOT_BYTES: number = 1024 * MEBIBYTE;
/** The hash tree takes 1/128 of the data. */
const VERITY_SLOT_BYTES = 16 * MEBIBYTE;

export type DiskParts = {
  readonly version: string;
  readonly usr: UsrImage;
  readonly dataPartitionUuid: string;
  readonly hashPartitionUuid: string;
  readonly ukiPath: string;
  readonly bootLoaderPath: string;
  readonly secureBoot: ImageSecureBoot | undefined;
  readonly sourceDateEpoch: number;
};

/**
 * Writes `disk.raw`: ESP, slot A filled, slot B empty. Holes stay holes. What persists is made by the first boot, behind
 * them: see os/usr/lib/repart.d.
 */
export async function makeDiskImage(parts: DiskParts, out: string, work: string): Promise<void> {
  checkFits("usr", parts.usr.dataSizeBytes, USR_SLOT_BYTES);
  checkFits("verity", parts.usr.hashSizeBytes, VERITY_SLOT_BYTES);
  const esp = join(work, "esp.img");
  await makeEsp(parts, esp, work);

  const layout = layOut([
    { type: PARTITION_TYPES.esp, uuid: uuidFor("esp", parts.version), label: "ashlar-esp", sizeBytes: ESP_BYTES },
    { ...USR, uuid: parts.dataPartitionUuid, label: `ashlar_${parts.version}` },
    { ...VERITY, uuid: parts.hashPartitionUuid, label: `ashlar_${parts.version}_verity` },
    { ...USR, uuid: uuidFor("empty usr", parts.version), label: "_empty" },
    { ...VERITY, uuid: uuidFor("empty verity", parts.version), label: "_empty" },
  ]);
  const gpt = writeGpt({ diskGuid: uuidFor("disk", parts.version), ...layout });

  await rm(out, { force: true });
  await writeFile(out, gpt.primary);
  await truncate(out, layout.sizeBytes);
  {
    await using disk = await open(out, "r+");
    await disk.write(gpt.backup, 0, gpt.backup.length, layout.sizeBytes - gpt.backup.length);
  }
  for (const [index, path] of [esp, parts.usr.path, parts.usr.verityPath].entries()) {
    const partition = layout.partitions[index];
    if (partition !== undefined) await copyInto(path, out, partition.firstLba * SECTOR_BYTES);
  }
}

type SizedPartition = Omit<GptPartition, "firstLba" | "lastLba" | "attributes"> & {
  readonly sizeBytes: number;
  readonly attributes?: bigint;
};

const USR = { type: PARTITION_TYPES.usr, sizeBytes: USR_SLOT_BYTES, attributes: PARTITION_ATTRIBUTES.readOnly };
const VERITY = {
  type: PARTITION_TYPES.usrVerity,
  sizeBytes: VERITY_SLOT_BYTES,
  attributes: PARTITION_ATTRIBUTES.readOnly,
};

/** Places partitions one after another, each on a MiB boundary, with a MiB at either end for the tables. */
function layOut(sized: readonly SizedPartition[]): { partitions: GptPartition[]; sizeBytes: number } {
  let offsetBytes = MEBIBYTE;
  const partitions = sized.map(({ sizeBytes, ...partition }) => {
    const firstLba = offsetBytes / SECTOR_BYTES;
    offsetBytes += sizeBytes;
    return { attributes: 0n, ...partition, firstLba, lastLba: offsetBytes / SECTOR_BYTES - 1 };
  });
  return { partitions, sizeBytes: offsetBytes + MEBIBYTE };
}

function checkFits(what: string, sizeBytes: number, slotBytes: number): void {
  if (sizeBytes <= slotBytes) return;
  throw new AshlarError("limit", `the ${what} image has ${sizeBytes} bytes, its slot only ${slotBytes}`, {
    hint: "ship less in /usr: large software belongs in a system extension",
  });
}

/** The EFI system partition: systemd-boot as the default loader, and the UKI where systemd-boot looks for it. */
async function makeEsp(parts: DiskParts, esp: string, work: string): Promise<void> {
  const loaderConfig = join(work, "loader.conf");
  // No menu and no editor: a changed command line would only be measured, and refused.
  await writeFile(
    loaderConfig,
    parts.secureBoot === undefined ? LOADER_CONFIG : loaderConfigFor(parts.secureBoot.enrolment),
  );
  const enrolment = await writeEnrolment(parts.secureBoot, work);
  await rm(esp, { force: true });
  await writeFile(esp, "");
  await truncate(esp, ESP_BYTES);
  const env = { SOURCE_DATE_EPOCH: String(parts.sourceDateEpoch), TZ: "UTC", MTOOLSRC: "/dev/null" };
  const volumeId = uuidFor("esp", parts.version).slice(0, 8);
  await run("mkfs.vfat", ["--invariant", "-F", "32", "-n", "ESP", "-i", volumeId, esp], { env });
  await run("mmd", ["-i", esp, "::EFI", "::EFI/BOOT", "::EFI/Linux", "::EFI/systemd", "::loader"], { env });
  if (enrolment.length > 0) await run("mmd", ["-i", esp, "::loader/keys", "::loader/keys/auto"], { env });
  for (const [source, target] of [
    ...BOOT_LOADER_PATHS.map((path) => [parts.bootLoaderPath, path] as const),
    [parts.ukiPath, `EFI/Linux/${bootEntryId(parts.version)}`],
    [loaderConfig, "loader/loader.conf"],
    ...enrolment,
  ] as const) {
    await run("mcopy", ["-i", esp, source, `::${target}`], { env });
  }
}

/** The files with which systemd-boot enrols the owner's keys, each with its place on the ESP. */
async function writeEnrolment(
  secureBoot: ImageSecureBoot | undefined,
  work: string,
): Promise<(readonly [source: string, target: string])[]> {
  if (secureBoot === undefined) return [];
  const files: [string, string][] = [];
  for (const name of KEY_VARIABLES) {
    const source = join(work, `${name}.auth`);
    await writeFile(source, secureBoot.parts[name].variable);
    files.push([source, ENROLMENT_PATHS[name]]);
  }
  return files;
}
