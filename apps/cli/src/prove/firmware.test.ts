import assert from "node:assert/strict";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { parseAcceptedFirmware } from "./accept-firmware.ts";
import { firmwareTable } from "./firmware-table.ts";

const [ONE, OTHER] = ["1".repeat(64), "2".repeat(64)];

test("--accept-firmware takes nodes, each with its digests", () => {
  assert.deepEqual(
    [...parseAcceptedFirmware(["node-1", ONE, OTHER, "node-2", ONE])],
    [
      ["node-1", [ONE, OTHER]],
      ["node-2", [ONE]],
    ],
  );
  assert.equal(parseAcceptedFirmware([]).size, 0);
  for (const words of [[ONE], ["node-1"], ["node-1", "node-2", ONE], ["node-1", ONE.slice(1)]]) {
    assert.throws(
      () => parseAcceptedFirmware(words),
      (error) => error instanceof AshlarError && error.code === "usage",
    );
  }
});

test("the table shows whole digests where the operator may have to name them", () => {
  const event = { pcr: 2, type: "EV_EFI_BOOT_SERVICES_DRIVER", digest: ONE, what: "Fv(x)", isProved: false } as const;
  const lines = firmwareTable([
    { ...event, role: "refused" },
    { ...event, role: "pinned", isProved: true },
  ]).map(String);
  assert.match(lines[0] ?? "", /^PCR +ROLE +DIGEST +TYPE +WHAT/u);
  assert.match(lines[1] ?? "", /^2 +refused +1{64} +EFI_BOOT_SERVICES_DRIVER +Fv\(x\) \(not proved\)$/u);
  assert.match(lines[2] ?? "", /^2 +pinned +1{12} +EFI_BOOT_SERVICES_DRIVER +Fv\(x\)$/u);
});
