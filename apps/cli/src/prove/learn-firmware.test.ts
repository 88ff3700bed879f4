import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { EMPTY_VERDICT, FLEET_VERDICT_SCHEMA, type Level, type NamedVerdict } from "@ashlar/identity";
import { learnFirmware } from "./learn-firmware.ts";

test("firmware is not learnt of a node that runs, or would boot next, something else", async () => {
  const policyPath = join(tmpdir(), `ashlar-learn-${process.pid}.json`);
  const learn = async (level: Level, next: Level): Promise<void> => {
    const nextBoot = { release: null, level: next, differences: [], fallback: null, notes: [] };
    const node: NamedVerdict = { ...EMPTY_VERDICT, name: "worker", level, differences: [], nextBoot };
    const fleet = { schema: FLEET_VERDICT_SCHEMA, verdict: "mismatch", identities: 0, nodes: [node] } as const;
    await learnFirmware({ fleet }, "worker", undefined, policyPath);
  };
  const found = (level: Level) => ({ code: "untrusted", message: `expected worker to be proven, found ${level}` });
  await assert.rejects(learn("proven", "mismatch"), found("mismatch"));
  await assert.rejects(learn("reported", "proven"), found("reported"));
  await assert.rejects(learn("mismatch", "reported"), found("mismatch"));
  assert.ok(!existsSync(policyPath));
});
