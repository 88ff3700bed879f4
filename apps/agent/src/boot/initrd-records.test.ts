import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findInitrdRecord } from "./initrd-records.ts";

const [RUNNING, OTHER] = ["00".repeat(32), "11".repeat(32)];
const bootId = (digit: string): string => `${digit.repeat(8)}-0000-0000-0000-000000000000`;

await test("the newest record of another release counts, and only since it was installed", async () => {
  const state = mkdtempSync(join(tmpdir(), "ashlar-initrd-"));
  assert.equal(await findInitrdRecord(state, RUNNING, 0), undefined);
  mkdirSync(join(state, "failed-boots"));
  const write = (name: string, text: string, seconds: number): void => {
    writeFileSync(join(state, "failed-boots", name), text);
    utimesSync(join(state, "failed-boots", name), seconds, seconds);
  };
  write(bootId("1"), `usrhash=${OTHER}\nashlar-var.service failed:\n`, 1000);
  write(bootId("2"), `usrhash=${OTHER}\nashlar-root.service failed:\nno space\n`, 2000);
  write(bootId("3"), `usrhash=${RUNNING}\nignition-files.service failed:\n`, 3000);
  write(bootId("4"), "half a rec", 4000);
  write("notes", `usrhash=${OTHER}\nnot a boot\n`, 5000);
  assert.deepEqual(await findInitrdRecord(state, RUNNING, 1_500_000), {
    bootId: bootId("2"),
    check: "initrd",
    message: "ashlar-root.service failed:\nno space",
  });
  assert.equal(await findInitrdRecord(state, RUNNING, 2_500_000), undefined);
  rmSync(state, { recursive: true });
});
