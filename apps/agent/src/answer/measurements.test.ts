import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { quoteWithLogs } from "./collect-evidence.ts";
import { MeasurementLog } from "./measurement-log.ts";
import type { Quote } from "./quote.ts";
import { parseVerityStatus, readVerityStatus } from "./verity-status.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-logs-"));
process.once("exit", () => rmSync(directory, { recursive: true }));
const path = join(directory, "log");
const ABSENT = new MeasurementLog("firmware-log", undefined);
const QUOTE: Quote = { message: Buffer.alloc(0), signature: Buffer.alloc(0), pcrs: {} };

function openLog(content: string): { log: MeasurementLog; [Symbol.dispose]: () => void } {
  writeFileSync(path, content);
  const descriptor = openSync(path, "r");
  return { log: new MeasurementLog("log", descriptor), [Symbol.dispose]: () => closeSync(descriptor) };
}

await test("a log is read whole, again and again, up to its limit; an absent one is empty", () => {
  using opened = openLog("x".repeat(100_000));
  assert.equal(opened.log.read().length, 100_000);
  appendFileSync(path, "y");
  assert.equal(opened.log.read().length, 100_001);
  truncateSync(path, 1024 * 1024 + 1);
  assert.throws(
    () => opened.log.read(),
    (error) => error instanceof AshlarError && error.code === "limit",
  );
  assert.equal(ABSENT.read().length, 0);
});

await test("a measurement that comes between the quote and the log makes it quote again", async () => {
  using opened = openLog("one");
  let quotes = 0;
  const quote = async (): Promise<Quote> => {
    quotes += 1;
    if (quotes === 1) appendFileSync(path, "two");
    return await Promise.resolve(QUOTE);
  };
  const { userspaceLog } = await quoteWithLogs(quote, ABSENT, opened.log);
  assert.equal(quotes, 2);
  assert.equal(userspaceLog.toString(), "onetwo");
});

await test("a measurement under way is waited for, but not for ever", async () => {
  using opened = openLog("one");
  let quotes = 0;
  const quote = async (): Promise<Quote> => {
    quotes += 1;
    return await Promise.resolve(QUOTE);
  };
  chmodSync(path, 0o1600);
  await quoteWithLogs(quote, ABSENT, opened.log);
  assert.equal(quotes, 4);
});

await test("a quote that failed once is asked for again; one that keeps failing fails", async () => {
  let failures = 1;
  const quote = async (): Promise<Quote> => {
    failures -= 1;
    if (failures >= 0) throw new AshlarError("failed", "the PCRs have changed");
    return await Promise.resolve(QUOTE);
  };
  assert.equal((await quoteWithLogs(quote, ABSENT, ABSENT)).quote, QUOTE);
  failures = 9;
  await assert.rejects(quoteWithLogs(quote, ABSENT, ABSENT), /the PCRs have changed/u);
});

const ROOT_HASH = "0123456789abcdef".repeat(4);
const TABLE = `0 491520 verity 1 254:3 254:4 4096 4096 61440 1 sha256 ${ROOT_HASH} ${"00".repeat(32)} 1 panic_on_corruption`;

await test("dmsetup's lines become a status, anything else is unknown", () => {
  const unknown = { device: "usr", status: "" };
  assert.deepEqual(parseVerityStatus(`${TABLE}\n0 491520 verity V\n`), {
    device: "usr",
    status: "V",
    rootHash: ROOT_HASH,
  });
  assert.deepEqual(parseVerityStatus("0 491520 verity C\n"), { device: "usr", status: "C" });
  assert.deepEqual(parseVerityStatus(`${TABLE}\n`), unknown);
  assert.deepEqual(parseVerityStatus("0 491520 linear 254:3 0\n"), unknown);
  assert.deepEqual(parseVerityStatus("0 491520 verity perfect\n"), unknown);
  assert.deepEqual(parseVerityStatus(`${TABLE.replace(ROOT_HASH, "no")}\n0 9 verity V`), {
    device: "usr",
    status: "V",
  });
  assert.deepEqual(parseVerityStatus("x ".repeat(100_000)), unknown);
});

await test("a socket that nobody serves means an unknown status", async () => {
  assert.deepEqual(await readVerityStatus(join(directory, "none.sock")), { device: "usr", status: "" });
});
