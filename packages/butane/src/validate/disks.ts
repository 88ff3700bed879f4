import { bytesOfText } from "../document/byte-text.ts";
import { integerOf, objectsOf, textOf, type DecodedObject } from "../document/decoded.ts";
import { checkDevice } from "./paths.ts";
import type { Validation } from "./validation.ts";

const MAX_LABEL_BYTES = 36;
const GUID = /^(?:[\dA-F]{8}(?:-[\dA-F]{4}){3}-[\dA-F]{12})?$/iu;

export function checkPartition(partition: DecodedObject, { findings }: Validation): void {
  const label = textOf(partition["label"]);
  const labelSize = bytesOfText(label).length;
  const number = integerOf(partition["number"]) ?? 0;
  if (partition["shouldExist"] === false && PROPERTIES.some((key) => isSet(partition, key))) {
    const hint = "leave its label, size, start and GUIDs out";
    findings.error([partition], "expected nothing else for a partition that should not exist, found more", hint);
  }
  if (number === 0 && partition["label"] === undefined) {
    findings.error([partition], "expected a number from 1 or a label, found neither");
  }
  if (label.includes(":")) {
    const message = `expected a label without colon, found ${label}`;
    findings.error([partition, "label"], message, "sgdisk would cut it there");
  } else if (labelSize > MAX_LABEL_BYTES) {
    findings.error([partition, "label"], `expected at most ${MAX_LABEL_BYTES} bytes, found ${labelSize}`);
  }
  for (const key of ["typeGuid", "guid"] as const) {
    const guid = textOf(partition[key]);
    if (GUID.test(guid)) continue;
    const hint = "a GUID looks like 01234567-89AB-CDEF-0123-456789ABCDEF";
    findings.error([partition, key], `expected a GUID, found ${guid}`, hint);
  }
}

const PROPERTIES = ["label", "sizeMiB", "startMiB", "typeGuid", "guid"] as const;

function isSet(partition: DecodedObject, key: (typeof PROPERTIES)[number]): boolean {
  return partition[key] !== undefined && partition[key] !== "";
}

export function checkDisk(disk: DecodedObject, { findings }: Validation): void {
  checkDevice(findings, disk);
  const partitions = objectsOf(disk["partitions"]);
  checkNumbers(partitions, findings);
  checkOverlaps(partitions, findings);
  checkLabels(partitions, findings);
  const deletes = partitions.some((partition) => partition["shouldExist"] === false);
  const takesNext = partitions.some((partition) => (integerOf(partition["number"]) ?? 0) === 0);
  if (deletes && takesNext) {
    findings.error(
      [disk, "partitions"],
      "expected a number for each partition where others are deleted, found one without",
      "which number is the next free one depends on the order in which partitions are deleted",
    );
  }
}

function checkNumbers(partitions: readonly DecodedObject[], findings: Validation["findings"]): void {
  const seen = new Set<number>();
  for (const partition of partitions) {
    const number = integerOf(partition["number"]) ?? 0;
    if (number === 0) continue;
    if (seen.has(number)) findings.error([partition], `expected each partition number once, found ${number} again`);
    seen.add(number);
  }
}

function checkLabels(partitions: readonly DecodedObject[], findings: Validation["findings"]): void {
  const seen = new Set<string>();
  for (const partition of partitions) {
    const label = textOf(partition["label"]);
    if (label === "") continue;
    if (seen.has(label)) findings.error([partition], `expected each partition label once, found ${label} again`);
    seen.add(label);
  }
}

/** Partitions of which both start and size are known must not share a place. */
function checkOverlaps(partitions: readonly DecodedObject[], findings: Validation["findings"]): void {
  const placed = partitions.filter((partition) => partition["shouldExist"] !== false && startOf(partition) > 0);
  for (const [index, partition] of placed.entries()) {
    const clash = placed.find(
      (other, place) =>
        place !== index &&
        startOf(partition) >= startOf(other) &&
        startOf(partition) < startOf(other) + sizeOf(other) &&
        (startOf(partition) !== startOf(other) || place < index),
    );
    if (clash === undefined) continue;
    const [start, end] = [startOf(clash), startOf(clash) + sizeOf(clash)];
    const message = `expected partitions apart, found a start at ${startOf(partition)} MiB inside another (${start} to ${end} MiB)`;
    findings.error([partition], message);
  }
}

function startOf(partition: DecodedObject): number {
  return integerOf(partition["startMiB"]) ?? 0;
}

function sizeOf(partition: DecodedObject): number {
  return integerOf(partition["sizeMiB"]) ?? 0;
}
