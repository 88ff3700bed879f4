import assert from "node:assert/strict";
import { test } from "node:test";
import { vector } from "../tpm/test-vectors.ts";
import { survivesAnything } from "../tpm/test-malformed.ts";
import { parseFirmwareLog } from "./firmware-log.ts";
import { withoutEventData } from "./without-data.ts";

const LOG = vector("firmware-log-secure-boot/binary_bios_measurements");

test("types and digests stay, what may name a machine goes", () => {
  const bare = withoutEventData(LOG);
  const [before, after] = [LOG, bare].map((log) => parseFirmwareLog(log).events);
  const [kept, given] = [after, before].map((events) =>
    events?.map(({ pcr, type, digests }) => [pcr, type, Buffer.from(digests.sha256 ?? []).toString("hex")]),
  );
  assert.deepEqual(kept, given);
  const utf16 = Buffer.from("Boot0000", "utf16le");
  assert.ok(Buffer.from(LOG).includes(utf16));
  assert.ok(!Buffer.from(bare).includes(utf16));
  assert.ok(Buffer.from(bare).includes("Calling EFI Application from Boot Option"));
  assert.deepEqual(withoutEventData(bare), bare);
});

test("of records that extend nothing only the locality's data stay, by which PCR 0 is replayed", () => {
  const record = (text: string): Buffer => {
    const data = Buffer.from(text, "latin1");
    const head = Buffer.alloc(4 + 4 + 4 + 2 + 32 + 4);
    head.writeUInt32LE(3, 4);
    head.writeUInt32LE(1, 8);
    head.writeUInt16LE(0x0b, 12);
    head.writeUInt32LE(data.length, head.length - 4);
    return Buffer.concat([head, data]);
  };
  const header = LOG.subarray(0, 65);
  const bare = withoutEventData(Buffer.concat([header, record("StartupLocality\0\u0003"), record("serial ABC123")]));
  assert.equal(parseFirmwareLog(bare).startupLocality, 3);
  assert.ok(!Buffer.from(bare).includes("ABC123"));
});

test("survives anything", () => survivesAnything(withoutEventData, [LOG]));
