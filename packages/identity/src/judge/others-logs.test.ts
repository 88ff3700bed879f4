/**
 * Firmware logs of other people's machines, which are not ours to copy: `ASHLAR_CASES=DIR` names a directory of them, by kind
 * `DIR/KIND/*.bin`. Each is followed by a release's programs, as if a node ran on that machine.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { test } from "node:test";
import { parseFirmwareLog, replayPcrs, sha256 } from "@ashlar/formats";
import { testRelease } from "@ashlar/protocol/test-fixtures";
import { eventsByPcr } from "../check/check-logs.ts";
import { judgePrograms } from "./judge-boot.ts";
import { firmwareOf, judgeFirmware, judgeHandOver } from "./judge-firmware.ts";

const directory = process.env["ASHLAR_CASES"] ?? "";
const logs = directory === "" ? [] : globSync(`${directory}/*/*.bin`).toSorted();

/** What is right for a log of each kind: the difference that remains, or the refusal. */
const RIGHT: Readonly<Record<string, RegExp | undefined>> = {
  "firmware-driver-after-separator": /^PCR 2, a program was loaded after the firmware handed over/u,
  "firmware-sha1-only": /found only SHA-1/u,
};

const RELEASE = testRelease("1.0.0");
const PROGRAMS = [RELEASE.bootLoader.authenticode, RELEASE.uki.authenticode, RELEASE.uki.linuxAuthenticode];

test("logs of other people's machines have their right results", (context) => {
  if (logs.length === 0) context.diagnostic("did not run: ASHLAR_CASES names no directory of logs");
  for (const path of logs) {
    const kind = basename(dirname(path));
    const found = judge(readFileSync(path), kind);
    const right = RIGHT[kind];
    if (right === undefined) assert.deepEqual(found, [], path);
    else for (const line of found) assert.match(line, right, path);
    assert.equal(found.length > 0, right !== undefined, path);
  }
});

function judge(bytes: Uint8Array, kind: string): string[] {
  let log;
  try {
    log = parseFirmwareLog(bytes);
  } catch (error) {
    return [String(error)];
  }
  const programs = PROGRAMS.map((digest) => ({
    pcr: 4,
    type: 0x8000_0003,
    digests: { sha256: Buffer.from(digest, "hex") },
    data: new Uint8Array(),
  }));
  const complete = { ...log, events: [...log.events, ...programs] };
  const events = eventsByPcr(complete, { events: [] });
  const pcrs = new Map(
    [...replayPcrs(complete, { events: [] }, "sha256")].map(([pcr, value]) => [
      pcr,
      Buffer.from(value).toString("hex"),
    ]),
  );
  // A few logs have PCR 0 alone.
  if (events.get(4)?.length === PROGRAMS.length) return kind === "firmware-h-crtm" ? [] : ["no hand-over"];
  const measurements = { events, pcrs: { sha256: pcrs } };
  const accepted = judgeHandOver(events).map(({ found }) => /[0-9a-f]{64}/u.exec(found)?.[0] ?? "");
  assert.deepEqual(
    judgeFirmware(measurements, firmwareOf(measurements, accepted)),
    [],
    "accepted by name, it is proven",
  );
  return [
    ...judgeHandOver(events),
    ...judgePrograms(events.get(4) ?? [], RELEASE, new Set([PROGRAMS[0] ?? sha256("")]), false),
  ].map(({ what, expected, found }) => `${what}: ${expected} / ${found}`);
}
