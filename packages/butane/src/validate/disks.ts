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

/** An empty GUID says nothing; an empty label is one. */
function isSet(partition: DecodedObject, key: (typeof PROPERTIES)[number]): boolean {
  return partition[key] !== undefined && (partition[key] !== "" || key === "label");
}

export function checkDisk(disk: DecodedObject, { findings }: Validation): void {
  checkDevice(findings, disk);
  const partitions = objectsOf(disk["partitions"]);
  checkNumbers(partitions, findings);
  checkOverlaps(partitions, findings);
  checkLabels(partitions, findings);
  const deletes = partitions.some((partition) => partition["shouldExist"] === false);
  const isUnnumbered = partitions.some((partition) => (integerOf(partition["number"]) ?? 0) === 0);
  if (deletes && isUnnumbered) {
    findings.error(
      [disk, "partitions"],
      "expected a number for each partition where others are deleted, found one without",
      "the next free number is looked for before partitions are deleted, so say which one each gets",
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
    if (partition["label"] === undefined) continue;
    const label = textOf(partition["label"]);
    if (seen.has(label)) {
      findings.error([partition], `expected each partition label once, found ${label === "" ? '""' : label} again`);
    }
    seen.add(label);
  }
}

type Extent = { readonly start: number; readonly end: number };

/** Partitions of which both start and size are known must not share a place. */
function checkOverlaps(partitions: readonly DecodedObject[], findings: Validation["findings"]): void {
  const placed: Extent[] = [];
  for (const partition of partitions) {
    const extent = extentOf(partition);
    if (extent === undefined) continue;
    const clash = placed.find(({ start, end }) => extent.start <= end && start <= extent.end);
    placed.push(extent);
    if (clash === undefined) continue;
    const message = `expected partitions apart, found one at ${shown(extent)} over another at ${shown(clash)}`;
    findings.error([partition], message);
  }
}

/** The first and last MiB. One that fills what is free takes at least its first; where it ends is not known here. */
function extentOf(partition: DecodedObject): Extent | undefined {
  const [start, size] = [integerOf(partition["startMiB"]) ?? 0, integerOf(partition["sizeMiB"])];
  if (start === 0 || size === undefined) return undefined;
  return { start, end: size === 0 ? start : start + size - 1 };
}

function shown({ start, end }: Extent): string {
  return start === end ? `${start} MiB` : `${start} to ${end} MiB`;
}
