import { printLine } from "@ashlar/host/terminal";
import type { KeyDifference, KeySummary, MissingSignatures } from "@ashlar/publisher";
import type { KeyName } from "@ashlar/keys";

const NAMES = ["root", "targets", "online"] as const satisfies readonly KeyName[];
/** Of a key's identifier: enough to tell keys apart, and to compare over the telephone. */
const SHOWN_DIGITS = 16;

export function printKeys(keys: KeySummary): void {
  printLine(`root role ${keys.version}, good until ${keys.expires}`);
  for (const name of NAMES) {
    const { threshold, keyIds } = keys[name];
    const how = keyIds.length === 1 ? "" : `  (${threshold} of ${keyIds.length})`;
    printLine(`${name.padEnd(9)}${keyIds.map(short).join(" ")}${how}`);
  }
}

export function printChanges(changes: readonly KeyDifference[]): void {
  if (changes.length === 0) printLine("the same keys, with a new date");
  for (const { name, added, removed, threshold } of changes) {
    for (const id of added) printLine(`  + ${name} ${short(id)}`);
    for (const id of removed) printLine(`  - ${name} ${short(id)}`);
    if (threshold.from !== threshold.to) {
      printLine(
        `  ${threshold.to} ${name} ${threshold.to === 1 ? "key signs" : "keys sign together"}, not ${threshold.from}`,
      );
    }
  }
}

export function printMissing(missing: readonly MissingSignatures[]): void {
  for (const { of, version, count, keyIds } of missing) {
    const whose = of === "current" ? `keys in effect (root role ${version})` : `keys to come (root role ${version})`;
    printLine(`missing: ${count} of the ${whose}: ${keyIds.map(short).join(" ")}`);
  }
}

function short(id: string): string {
  return id.slice(0, SHOWN_DIGITS);
}
