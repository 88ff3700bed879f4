import assert from "node:assert/strict";
import { test } from "node:test";
import { afterLine, plainText, POWERED_ON, type BootProgress } from "./boot-phase.ts";

const LOADING = 'BdsDxe: loading Boot0002 "UEFI Misc Device" from PciRoot(0x0)/Pci(0x1,0x0)\r';

function after(lines: readonly string[], start: BootProgress = POWERED_ON): BootProgress {
  return lines.reduce(afterLine, start);
}

test("the phases of a boot are seen in their order, and none goes back", () => {
  const boot: readonly [string, BootProgress["phase"]][] = [
    [LOADING, "firmware"],
    [
      "\u001B]104\u001B\\[\u001B[0;32m  OK  \u001B[0m] Reached target \u001B[0;1;39mpaths.target\u001B[0m - Path Units.",
      "initrd",
    ],
    [
      "\u001B[0;32m  OK  \u001B[0m] Finished \u001B[0;1;39mignition-fetch.service\u001B[0m - Ignition (fetch).",
      "ignition",
    ],
    ["         Starting \u001B[0;1;39minitrd-switch-root.service\u001B[0m - Switch Root...", "system"],
    ["         Starting ignition-quench.service", "system"],
  ];
  let progress = POWERED_ON;
  for (const [line, phase] of boot) {
    progress = afterLine(progress, line);
    assert.equal(progress.phase, phase, line);
  }
  assert.equal(progress.boots, 1);
});

test("a machine that restarts begins anew, and its boots are counted", () => {
  const progress = after([LOADING, "Linux version 6.12", "Kernel panic - not syncing: x", LOADING]);
  assert.deepEqual(progress, { phase: "firmware", boots: 2, deadEnd: undefined });
});

test("the line that ends all hope is kept", () => {
  const progress = after([LOADING, "[  3.2] Kernel panic - not syncing: dm-verity device corrupted\r", "more"]);
  assert.equal(progress.deadEnd, "Kernel panic - not syncing: dm-verity device corrupted");
});

test("firmware that refuses what is on the disk, and finds nothing else, is at its end", () => {
  const refused = `BdsDxe: failed to load Boot0001 "UEFI Misc Device" from PciRoot(0x0): Access Denied`;
  const progress = after([LOADING, refused, "BdsDxe: No bootable option or device was found."]);
  assert.equal(progress.deadEnd, "BdsDxe: No bootable option or device was found.");
});

test("what only a terminal understands is no text", () => {
  assert.equal(
    plainText("\u001B]104\u0007\u001B[2J\u001B[01;01H\u001B[=3hBds\u001B[0;1;39mDxe\u001B[0m\r\u0007"),
    "BdsDxe",
  );
  assert.equal(plainText("\u001B[\u001B[mleft open \u001B["), "[left open [", "an unfinished sequence");
});
