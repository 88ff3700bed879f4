import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { needs } from "@ashlar/base/test-needs";
import fc from "fast-check";
import { authenticodeDigest } from "./authenticode-digest.ts";
import { parsePe } from "./parse-pe.ts";
import { buildPe, PE_FIELDS } from "./pe-fixture.ts";
import { ukiSections } from "./uki-sections.ts";

const UKI = buildPe([
  { name: ".text", data: Buffer.from("stub") },
  { name: ".osrel", data: Buffer.from("ID=ashlar\n") },
  { name: ".linux", data: Buffer.alloc(700, 7), virtualSize: 1500 },
  { name: ".pcrsig", data: Buffer.from("{}") },
  { name: ".uname", data: Buffer.alloc(0) },
]);

test("sections carry their sizes in memory and in the file", () => {
  const { machine, sections, certificateTable } = parsePe(UKI);
  assert.equal(machine, 0x8664);
  assert.equal(certificateTable, undefined);
  assert.deepEqual(
    sections.map(({ name, virtualSize, rawSize, rawOffset }) => [name, virtualSize, rawSize, rawOffset]),
    [
      [".text", 4, 512, 1024],
      [".osrel", 10, 512, 1536],
      [".linux", 1500, 1024, 2048],
      [".pcrsig", 2, 512, 3072],
      [".uname", 0, 0, 0],
    ],
  );
});

test("UKI sections come in the order of measuring, filled with zeros to VirtualSize", () => {
  const sections = ukiSections(UKI);
  assert.deepEqual(
    sections.map(({ name }) => name),
    [".linux", ".osrel", ".uname"],
  );
  assert.deepEqual(Buffer.from(sections[0]!.data), Buffer.concat([Buffer.alloc(700, 7), Buffer.alloc(800)]));
  assert.equal(Buffer.from(sections[1]!.data).toString(), "ID=ashlar\n");
  assert.equal(sections[2]!.data.length, 0);
});

test("a UKI without a kernel, or with several profiles, is refused", () => {
  assert.throws(() => ukiSections(buildPe([{ name: ".osrel", data: Buffer.from("x") }])), { code: "invalid" });
  const profiles = [".linux", ".cmdline", ".cmdline"].map((name) => ({ name, data: Buffer.from(name) }));
  assert.throws(() => ukiSections(buildPe(profiles)), { code: "invalid", message: /one section \.cmdline/u });
});

test("a header cannot make us allocate gigabytes of zeros", () => {
  const bytes = buildPe([{ name: ".linux", data: Buffer.from("x"), virtualSize: 0xffff_ffff }]);
  assert.throws(() => ukiSections(bytes), { code: "limit", message: /zero fill/u });
});

test("the Authenticode digest ignores checksum, certificate entry and certificates, and nothing else", () => {
  const sections = [{ name: ".text", data: Buffer.from("code") }];
  const unsigned = buildPe(sections);
  const digest = Buffer.from(authenticodeDigest(unsigned, "sha256")).toString("hex");
  const signed = buildPe(sections, Buffer.alloc(24, 9));
  signed.writeUInt32LE(0, PE_FIELDS.checkSum);
  assert.equal(Buffer.from(authenticodeDigest(signed, "sha256")).toString("hex"), digest);

  const covered = Buffer.concat([
    unsigned.subarray(0, PE_FIELDS.checkSum),
    unsigned.subarray(PE_FIELDS.checkSum + 4, PE_FIELDS.certificateEntry),
    unsigned.subarray(PE_FIELDS.certificateEntry + 8),
  ]);
  assert.equal(createHash("sha256").update(covered).digest("hex"), digest);
  for (const offset of [2, PE_FIELDS.checkSum - 20, PE_FIELDS.checkSum + 4, PE_FIELDS.certificateEntry - 1, 513]) {
    const changed = Buffer.from(unsigned);
    changed[offset]! ^= 1;
    assert.notEqual(Buffer.from(authenticodeDigest(changed, "sha256")).toString("hex"), digest, `offset ${offset}`);
  }
});

test("a file without a certificate entry is hashed whole but for the checksum", () => {
  const bytes = buildPe([{ name: ".text", data: Buffer.from("code") }]);
  bytes.writeUInt32LE(4, PE_FIELDS.directoryCount);
  const covered = Buffer.concat([bytes.subarray(0, PE_FIELDS.checkSum), bytes.subarray(PE_FIELDS.checkSum + 4)]);
  const expected = createHash("sha256").update(covered).digest();
  assert.deepEqual(Buffer.from(authenticodeDigest(bytes, "sha256")), expected);
});

test("data after the last section is covered and filled with zeros to a multiple of 8", () => {
  const bytes = Buffer.concat([buildPe([{ name: ".text", data: Buffer.from("code") }]), Buffer.from("abc")]);
  const padded = Buffer.concat([bytes, Buffer.alloc(5)]);
  assert.deepEqual(authenticodeDigest(bytes, "sha256"), authenticodeDigest(padded, "sha256"));
});

const malformed: readonly [string, (bytes: Buffer) => Buffer | void, RegExp][] = [
  ["empty", () => Buffer.alloc(0), /e_magic/u],
  ["wrong DOS magic", (bytes) => void bytes.write("ZM"), /MZ/u],
  ["truncated DOS header", (bytes) => bytes.subarray(0, 32), /DOS header/u],
  ["PE header inside the DOS header", (bytes) => void bytes.writeUInt32LE(8, PE_FIELDS.lfanew), /e_lfanew/u],
  ["PE header beyond the end", (bytes) => void bytes.writeUInt32LE(0xffff_ffff, PE_FIELDS.lfanew), /DOS stub/u],
  ["wrong signature", (bytes) => void bytes.write("NE", PE_FIELDS.signature), /PE/u],
  ["absurd section count", (bytes) => void bytes.writeUInt16LE(97, PE_FIELDS.sectionCount), /at most 96/u],
  ["section table beyond headers", (bytes) => void bytes.writeUInt16LE(4, PE_FIELDS.sectionCount), /SizeOfHeaders/u],
  ["short optional header", (bytes) => void bytes.writeUInt16LE(100, PE_FIELDS.optionalHeaderSize), /Windows/u],
  ["long optional header", (bytes) => void bytes.writeUInt16LE(0xffff, PE_FIELDS.optionalHeaderSize), /optional/u],
  ["PE32, not PE32+", (bytes) => void bytes.writeUInt16LE(0x10b, PE_FIELDS.magic), /0x20b/u],
  ["headers larger than the file", (bytes) => void bytes.writeUInt32LE(1 << 24, PE_FIELDS.sizeOfHeaders), /SizeOfH/u],
  ["headers smaller than the table", (bytes) => void bytes.writeUInt32LE(64, PE_FIELDS.sizeOfHeaders), /SizeOfH/u],
  ["gap after the headers", (bytes) => void bytes.writeUInt32LE(600, PE_FIELDS.sizeOfHeaders), /at offset 600/u],
  ["too many directories", (bytes) => void bytes.writeUInt32LE(17, PE_FIELDS.directoryCount), /at most 16/u],
  ["binary section name", (bytes) => void bytes.writeUInt8(1, PE_FIELDS.sectionTable + 2), /ASCII/u],
  ["section beyond the end", (bytes) => void bytes.writeUInt32LE(1 << 30, PE_FIELDS.sectionTable + 16), /to end by/u],
  [
    "overlapping sections",
    (bytes) => void bytes.writeUInt32LE(512, PE_FIELDS.sectionTable + 60),
    /at offset 1024, found/u,
  ],
  ["truncated data", (bytes) => bytes.subarray(0, -24 - 512), /to end by/u],
  ["certificates in a section", (bytes) => void bytes.writeUInt32LE(1024, PE_FIELDS.certificateEntry), /from 1536/u],
  ["certificates unaligned", (bytes) => void bytes.writeUInt32LE(1537, PE_FIELDS.certificateEntry), /multiple of 8/u],
  ["certificates of size 0", (bytes) => void bytes.writeUInt32LE(0, PE_FIELDS.certificateEntry + 4), /end with the/u],
  ["bytes after the certificates", (bytes) => Buffer.concat([bytes, Buffer.alloc(8)]), /end with the file/u],
];

for (const [what, change, message] of malformed) {
  test(`malformed PE file: ${what}`, () => {
    const sections = [".text", ".linux"].map((name) => ({ name, data: Buffer.from(name) }));
    const bytes = buildPe(sections, Buffer.alloc(24, 9));
    assert.throws(
      () => parsePe(change(bytes) ?? bytes),
      (error) => error instanceof AshlarError && message.test(error.message),
    );
  });
}

test("fuzz: changed files give a value or an AshlarError", () => {
  const edits = fc.array(fc.tuple(fc.nat(UKI.length - 1), fc.nat(255)), { maxLength: 12 });
  fc.assert(
    fc.property(edits, fc.nat(UKI.length), (changes, length) => {
      const bytes = Buffer.from(UKI.subarray(0, changes.length % 3 === 0 ? length : UKI.length));
      for (const [offset, value] of changes) bytes[offset % 600] = value;
      for (const parse of [parsePe, ukiSections, (input: Buffer) => authenticodeDigest(input, "sha256")]) {
        try {
          parse(bytes);
        } catch (error) {
          assert.ok(error instanceof AshlarError, String(error));
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test("the Authenticode digest equals what osslsigncode signs", { skip: needs("osslsigncode", "openssl") }, () => {
  const directory = mkdtempSync(join(tmpdir(), "ashlar-pe-"));
  try {
    const [key, certificate] = [join(directory, "key.pem"), join(directory, "certificate.pem")];
    const subject = ["-subj", "/CN=test", "-addext", "extendedKeyUsage=codeSigning"];
    const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, ...subject];
    execFileSync("openssl", request, { stdio: "ignore" });
    const [plain, signed] = [join(directory, "plain.efi"), join(directory, "signed.efi")];
    // 3 bytes more than a multiple of 8: the signing tool has to fill up.
    const bytes = Buffer.concat([UKI, Buffer.from("abc")]);
    writeFileSync(plain, bytes);
    const sign = ["sign", "-h", "sha256", "-certs", certificate, "-key", key, "-in", plain, "-out", signed];
    execFileSync("osslsigncode", sign, { stdio: "ignore" });
    const { stdout } = spawnSync("osslsigncode", ["verify", "-in", signed], { encoding: "utf8" });
    const theirs = /Calculated message digest\s*:\s*([0-9A-F]{64})/u.exec(stdout)?.[1]?.toLowerCase();
    assert.equal(Buffer.from(authenticodeDigest(bytes, "sha256")).toString("hex"), theirs);
    assert.equal(Buffer.from(authenticodeDigest(readFileSync(signed), "sha256")).toString("hex"), theirs);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
