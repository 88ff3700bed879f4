import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { operatorPem } from "@ashlar/protocol";
import { testRelease } from "@ashlar/protocol/test-fixtures";
import { openSession } from "./session.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-session-"));
after(() => rmSync(directory, { recursive: true }));

test("a node that was never updated is right with the release that it was declared to run, and not with what it says", async () => {
  mkdirSync(join(directory, "releases"));
  writeFileSync(join(directory, "releases/ashlar_1.0.0.manifest.json"), JSON.stringify(testRelease("1.0.0")));
  const operatorKey = join(directory, "operator.pem");
  writeFileSync(operatorKey, operatorPem(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey));
  const node = { url: "https://127.0.0.1:1", classConfig: Buffer.from("{}"), nodeConfig: new Uint8Array() };
  const declared = { ...node, name: "declared", release: { version: "1.0.0" } };
  const silent = { ...node, name: "silent" };
  const sources = { operatorKey, repository: undefined, image: undefined, ekRoots: undefined, extensions: [] };
  const pinsPath = join(directory, "pins.json");
  const { right } = await openSession(
    { declared: { nodes: [declared, silent], pinsPath }, pins: undefined, ...sources },
    new AbortController().signal,
  );
  // Nobody answers there: it was not asked.
  assert.equal((await right(declared)).release.version, "1.0.0");
  await assert.rejects(right(silent), { code: "unavailable" });
});
