import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readMeasuredWords } from "./measure.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-measured-"));
after(() => rmSync(directory, { recursive: true }));
const measurementLog = join(directory, "log");
const ROOT_HASH = "ab".repeat(32);

function record(pcr: number, word: string, digest = hash("sha256", word)): string {
  const content = { string: word, bootId: "0".repeat(32), timestamp: 1, eventType: "phase" };
  return `\u001E${JSON.stringify({ pcr, digests: [{ hashAlg: "sha256", digest }], content_type: "systemd", content })}\n`;
}

test("the words of this boot are read from systemd's log, in order", async () => {
  assert.deepEqual(await readMeasuredWords({ measurementLog }), []);
  writeFileSync(
    measurementLog,
    [
      record(11, "ready"),
      record(13, "ashlar-config-class:sha256:00"),
      record(13, `sysext:tools:${ROOT_HASH}`),
      record(13, "sysext:tools:removed"),
      record(11, `sysext:other:${ROOT_HASH}`),
      record(13, `sysext:forged:${ROOT_HASH}`, "00".repeat(32)),
    ].join(""),
  );
  assert.deepEqual(await readMeasuredWords({ measurementLog }), [
    { kind: "sysext", name: "tools", rootHash: ROOT_HASH },
    { kind: "sysext", name: "tools", rootHash: null },
  ]);
});
