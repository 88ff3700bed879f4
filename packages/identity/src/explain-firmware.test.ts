import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "@ashlar/formats";
import { firmwareLogBytes, testLogs, testRelease, type TestLogs } from "@ashlar/protocol/test-fixtures";
import { explainFirmware } from "./explain-firmware.ts";

const RELEASE = testRelease("1.0.0");
const { firmware } = testLogs(RELEASE, sha256("class"), sha256("node"));
const PINNED = { "0": "", "2": "", "3": "", "7": "" };
const program = (pcr: number, name: string): TestLogs["firmware"][number] => ({
  pcr,
  type: 0x8000_0003,
  digest: sha256(name),
  data: Buffer.from("no hash of this is the digest"),
});

test("each event has a role, and what is proved of it is said", () => {
  const events = explainFirmware(firmwareLogBytes(firmware));
  assert.equal(events.length, firmware.length);
  const rolesOf = (pcr: number): string =>
    [...new Set(events.filter((event) => event.pcr === pcr).map(({ role }) => role))].join();
  assert.deepEqual([0, 1, 2, 3, 5, 7, 11].map(rolesOf), [
    "pinned",
    "free",
    "pinned",
    "pinned",
    "free",
    "pinned",
    "judged",
  ]);
  const loader = events.find(({ digest }) => digest === RELEASE.bootLoader.authenticode);
  assert.deepEqual([loader?.role, loader?.isProved], ["judged", false]);
  assert.equal(events.find(({ type }) => type === "EV_EFI_VARIABLE_DRIVER_CONFIG")?.isProved, true);
});

test("what needs the operator's word is refused until it has it", () => {
  const first = firmware.findIndex(({ pcr }) => pcr === 4);
  const log = firmwareLogBytes([...firmware.toSpliced(first, 0, program(4, "services")), program(2, "driver")]);
  const roleOf = (name: string, pinned?: Parameters<typeof explainFirmware>[1]): string | undefined =>
    explainFirmware(log, pinned).find(({ digest }) => digest === sha256(name))?.role;
  assert.equal(roleOf("services"), "pinned", "an enrolment would remember it");
  assert.equal(roleOf("services", { ...PINNED, programs: [sha256("services")] }), "pinned");
  assert.equal(roleOf("services", PINNED), "refused");
  assert.equal(roleOf("services", { ...PINNED, accepted: [sha256("services")] }), "accepted");
  assert.equal(roleOf("driver"), "refused");
  assert.equal(roleOf("driver", { ...PINNED, accepted: [sha256("driver")] }), "accepted");
});
