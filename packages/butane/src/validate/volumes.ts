import { bytesOfText } from "../document/byte-text.ts";
import { integerOf, isObject, listOf, objectsOf, textOf, type DecodedObject } from "../document/decoded.ts";
import { checkDevice, checkPath } from "./paths.ts";
import { schemeProblem } from "./url.ts";
import type { Validation } from "./validation.ts";

const LEVELS_WITHOUT_SPARES = ["linear", "raid0", "0", "stripe"] as const;
const LEVELS = [...LEVELS_WITHOUT_SPARES, ..."raid1 1 mirror raid4 4 raid5 5 raid6 6 raid10 10".split(" ")];

export function checkRaid(raid: DecodedObject, { findings }: Validation): void {
  const level = textOf(raid["level"]);
  if (level === "") {
    findings.error([raid, "level"], "expected a RAID level, found none", "for example raid1");
  } else if (!LEVELS.includes(level)) {
    findings.error([raid, "level"], `expected one of ${LEVELS.join(", ")}, found ${level}`);
  } else if (LEVELS_WITHOUT_SPARES.some((one) => one === level) && (integerOf(raid["spares"]) ?? 0) !== 0) {
    findings.error([raid, "level"], `level ${level} takes no spares`, "leave spares out");
  }
  const devices = listOf(raid["devices"]);
  if (devices.length === 0) findings.error([raid, "devices"], "expected the devices of the array, found none");
  for (const [index, device] of devices.entries()) checkPath(findings, [raid, "devices", index], device);
}

/** Longest labels in bytes, as the tools that make the file systems accept them. */
const MAX_LABEL_BYTES: Readonly<Record<string, number>> = { ext4: 16, btrfs: 256, xfs: 12, swap: 15, vfat: 11 };

const NEED_FORMAT = ["path", "label", "uuid", "wipeFilesystem", "options", "mountOptions"] as const;

export function checkFilesystem(filesystem: DecodedObject, { findings, rules }: Validation): void {
  checkDevice(findings, filesystem);
  const format = textOf(filesystem["format"]);
  if (format === "") {
    const given = NEED_FORMAT.filter((key) => isGiven(filesystem, key));
    if (given.length > 0) {
      findings.error([filesystem, "format"], `expected a format because of ${given.join(", ")}, found none`);
    }
  } else if (!rules.filesystemFormats.includes(format)) {
    const known = rules.filesystemFormats.join(", ");
    findings.error([filesystem, "format"], `expected one of ${known}, found ${format}`);
  }
  const path = textOf(filesystem["path"]);
  if (path !== "") checkPath(findings, [filesystem, "path"], path);
  const label = textOf(filesystem["label"]);
  const limit = MAX_LABEL_BYTES[format];
  const size = bytesOfText(label).length;
  if (limit !== undefined && size > limit) {
    findings.error([filesystem, "label"], `expected at most ${limit} bytes for ${format}, found ${size}`);
  }
}

/** File systems on devices that the same config treats as whole disks. */
export function checkFilesystemDisks(storage: DecodedObject, { findings }: Validation): void {
  const disks = new Map(objectsOf(storage["disks"]).map((disk) => [textOf(disk["device"]), disk]));
  for (const filesystem of objectsOf(storage["filesystems"])) {
    const disk = disks.get(textOf(filesystem["device"]));
    if (disk === undefined) continue;
    const place = [filesystem, "device"] as const;
    if (listOf(disk["partitions"]).length > 0) {
      const message = "expected a partition, found the whole disk, whose partitions the file system overwrites";
      findings.warning(place, message, "name a partition: /dev/disk/by-partlabel/LABEL");
    } else if (disk["wipeTable"] === true && filesystem["wipeFilesystem"] !== true) {
      const message = "expected wipe_filesystem on a disk with wipe_table, which wipes the file system, found none";
      findings.warning(place, message, "set wipe_filesystem: true, or leave wipe_table out");
    }
  }
}

function isGiven(filesystem: DecodedObject, key: (typeof NEED_FORMAT)[number]): boolean {
  const value = filesystem[key];
  return typeof value === "object" ? listOf(value).length > 0 : value !== undefined && value !== "" && value !== false;
}

const MAX_LUKS_LABEL_BYTES = 47;

export function checkLuks(luks: DecodedObject, { findings }: Validation): void {
  const name = textOf(luks["name"]);
  if (name.includes("/")) findings.error([luks, "name"], `expected a name without slash, found ${name}`);
  const labelSize = bytesOfText(textOf(luks["label"])).length;
  if (labelSize > MAX_LUKS_LABEL_BYTES) {
    findings.error([luks, "label"], `expected at most ${MAX_LUKS_LABEL_BYTES} bytes, found ${labelSize}`);
  }
  checkDevice(findings, luks);
}

export function checkClevis(clevis: DecodedObject, { findings }: Validation): void {
  const { custom } = clevis;
  if (!isObject(custom) || !isCustom(custom)) return;
  const threshold = integerOf(clevis["threshold"]) ?? 0;
  if (listOf(clevis["tang"]).length > 0 || clevis["tpm2"] === true || threshold !== 0) {
    const message = "expected either custom or tang, tpm2 and threshold, found both";
    findings.error([clevis], message, "say in custom.config what the others should say");
  }
  checkCustomPin(custom, findings);
}

function isCustom(custom: DecodedObject): boolean {
  return textOf(custom["pin"]) !== "" || textOf(custom["config"]) !== "" || custom["needsNetwork"] === true;
}

const PINS = ["tpm2", "tang", "sss"] as const;

function checkCustomPin(custom: DecodedObject, findings: Validation["findings"]): void {
  const pin = textOf(custom["pin"]);
  if (pin === "") findings.error([custom, "pin"], "expected the name of a pin, found none");
  else if (!PINS.some((known) => known === pin)) {
    findings.error([custom, "pin"], `expected one of ${PINS.join(", ")}, found ${pin}`);
  }
  if (textOf(custom["config"]) === "") findings.error([custom, "config"], "expected the pin's config, found none");
}

export function checkTang(tang: DecodedObject, { findings }: Validation): void {
  const problem = schemeProblem(textOf(tang["url"]), ["http", "https"]);
  if (problem !== undefined) findings.error([tang, "url"], problem);
  if (textOf(tang["thumbprint"]) === "") {
    findings.error([tang, "thumbprint"], "expected the thumbprint of the server's key, found none");
  }
  const advertisement = textOf(tang["advertisement"]);
  if (advertisement !== "" && !isJson(advertisement)) {
    findings.error([tang, "advertisement"], "expected JSON, found something else");
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
