import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { sha256 } from "@ashlar/formats";
import fc from "fast-check";
import { challengedNonce, nextBootQualifyingData, qualifyingData } from "./qualifying-data.ts";

const NONCE = Buffer.alloc(32, 1);
const KEY = Buffer.alloc(91, 2);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("both are what the guide computes with a shell", () => {
  const script = `framed() { while read -r hex; do printf '%08x%s' $((\${#hex} / 2)) "$hex"; done; }
    { printf %s "$1" | xxd -p; shift; printf '%s\n' "$@"; } | framed | xxd -r -p | sha256sum | cut -c1-64`;
  const compute = (...fields: readonly string[]): string =>
    execFileSync("sh", ["-c", script, "sh", ...fields], { encoding: "utf8" }).trim();
  assert.equal(hex(qualifyingData(NONCE, KEY)), compute("ashlar.evidence/v2", hex(NONCE), hex(KEY)));
  const report = '{"slots": "\u00e9"}';
  const challenged = ["ashlar.challenged-nonce/v1", hex(Buffer.from("audit 7")), hex(Buffer.from("node-1"))] as const;
  assert.equal(hex(challengedNonce("audit 7", "node-1")), compute(...challenged));
  assert.notDeepEqual(challengedNonce("audit 7n", "ode-1"), challengedNonce("audit 7", "node-1"));
  const fields = ["ashlar.next-boot/v2", hex(NONCE), hex(KEY), sha256(report)];
  assert.equal(hex(nextBootQualifyingData(NONCE, KEY, report)), compute(...fields));
});

test("bytes that are moved from one value to the next, or to the other question, give other data", () => {
  const whole = Buffer.concat([NONCE, KEY]);
  fc.assert(
    fc.property(fc.nat(whole.length), (border) => {
      const moved = qualifyingData(whole.subarray(0, border), whole.subarray(border));
      assert.equal(moved.equals(qualifyingData(NONCE, KEY)), border === NONCE.length);
    }),
  );
  const report = "{}";
  const keyAndReport = Buffer.concat([KEY, Buffer.from(sha256(report), "hex")]);
  const nextBoot = nextBootQualifyingData(NONCE, KEY, report);
  assert.notDeepEqual(nextBoot, qualifyingData(NONCE, keyAndReport));
  assert.notDeepEqual(nextBoot, qualifyingData(NONCE, KEY));
});
