import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { measure, readMeasuredWords } from "./measure.ts";

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

test("a word goes into each bank that is on, and one that does not change is an error", async () => {
  const registers = { sha256: join(directory, "sha256"), sha384: join(directory, "sha384") };
  const word = { kind: "sysext", name: "tools", rootHash: ROOT_HASH } as const;
  const asked: string[] = [];
  /** A TPM that measures into these banks only. */
  const extendInto =
    (...banks: readonly ("sha256" | "sha384")[]) =>
    (args: readonly string[]): Promise<void> => {
      asked.push(args.join(" "));
      for (const bank of banks) writeFileSync(registers[bank], `${readFileSync(registers[bank], "latin1")}1`);
      return Promise.resolve();
    };

  await assert.rejects(measure({ registers }, word, extendInto()), /expected PCR bank sha256 or sha384 to be on/u);
  assert.deepEqual(asked, []);

  writeFileSync(registers.sha384, "0");
  await measure({ registers }, word, extendInto("sha384"));
  writeFileSync(registers.sha256, "0");
  await measure({ registers }, word, extendInto("sha256", "sha384"));
  for (const [missing, other] of [
    ["sha256", "sha384"],
    ["sha384", "sha256"],
  ] as const) {
    const expected = { code: "failed", message: new RegExp(`of bank ${missing} has not changed`, "u") };
    await assert.rejects(measure({ registers }, word, extendInto(other)), expected);
  }
  assert.deepEqual(asked.slice(0, 2), [
    `--bank=sha384 --pcr=13 sysext:tools:${ROOT_HASH}`,
    `--bank=sha256 --bank=sha384 --pcr=13 sysext:tools:${ROOT_HASH}`,
  ]);
});
