import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { addKnownFirmware, readFirmwarePolicy } from "./firmware-policy.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-policy-"));
after(() => rmSync(directory, { recursive: true, force: true }));
const firmware = (digit: string) => ({
  "0": digit.repeat(64),
  "2": "2".repeat(64),
  "3": "3".repeat(64),
  "7": "7".repeat(64),
});

test("known firmware is added by name, and read again", async () => {
  const path = join(directory, "policy.json");
  await assert.rejects(readFirmwarePolicy(path), { code: "not-found" });
  await addKnownFirmware(path, { name: "Server 1, 1.0", firmware: firmware("0") });
  await addKnownFirmware(path, { name: "Server 1, 2.0", firmware: firmware("1") });
  await addKnownFirmware(path, { name: "Server 1, 1.0", firmware: firmware("a") });
  assert.deepEqual(await readFirmwarePolicy(path), [
    { name: "Server 1, 2.0", firmware: firmware("1") },
    { name: "Server 1, 1.0", firmware: firmware("a") },
  ]);
});

test("another file is refused, with the place in it", async () => {
  const path = join(directory, "other.json");
  for (const [text, message] of [
    ["[]", /other\.json: \$/u],
    ['{"schema":"ashlar.firmware-policy/v1","known":[{"name":"x","firmware":{"0":"00"}}]}', /known\.0\.firmware/u],
    ['{"schema":"ashlar.firmware-policy/v2","known":[]}', /\$\.schema/u],
  ] as const) {
    writeFileSync(path, text);
    await assert.rejects(readFirmwarePolicy(path), message);
  }
});
