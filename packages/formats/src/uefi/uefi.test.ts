import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { needs } from "@ashlar/base/test-needs";
import { parseFirmwareLog } from "../event-log/firmware-log.ts";
import { patched, refuses, survivesAnything } from "../tpm/test-malformed.ts";
import { signingCertificatePem } from "../x509/self-signed-certificate.ts";
import { writeAuthenticatedVariable } from "./authenticated-variable.ts";
import { SECURE_BOOT_VENDORS } from "./secure-boot-variables.ts";
import { parseSignatureLists, SIGNATURE_TYPES, writeCertificateList } from "./signature-list.ts";
import { parseMeasuredVariable } from "./variable-data.ts";

const OWNER = "8d2f0f5c-5c1f-4a3e-9b57-0d5a3c6e1f20";
const AT = new Date("2026-11-30T12:34:56Z");
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const certificate = new X509Certificate(signingCertificatePem(privateKey, "PK", Buffer.alloc(16, 7)));
const LIST = writeCertificateList(certificate.raw, OWNER);
const directory = mkdtempSync(join(tmpdir(), "ashlar-uefi-"));
after(() => rmSync(directory, { recursive: true }));

/** What OVMF measured with keys of its owner's. */
const VARIABLES = parseFirmwareLog(
  readFileSync(
    join(import.meta.dirname, "../../../../test/vectors/tpm/firmware-log-secure-boot/binary_bios_measurements"),
  ),
).events.filter(({ pcr, data }) => pcr === 7 && data.length > 4);

test("a list with a certificate is read as it was written", () => {
  assert.deepEqual(parseSignatureLists(LIST), [
    { type: SIGNATURE_TYPES.x509, owner: OWNER, data: new Uint8Array(certificate.raw) },
  ]);
  assert.equal(parseSignatureLists(Buffer.concat([LIST, LIST])).length, 2);
  assert.deepEqual(parseSignatureLists(new Uint8Array()), []);
});

test("a list is the same as sbsiglist's", { skip: needs("sbsiglist") }, () => {
  const [der, list] = [join(directory, "certificate.der"), join(directory, "list.esl")];
  writeFileSync(der, certificate.raw);
  execFileSync("sbsiglist", ["--owner", OWNER, "--type", "x509", "--output", list, der], { stdio: "pipe" });
  assert.deepEqual(readFileSync(list), Buffer.from(LIST));
});

test(
  "OpenSSL finds the signature of a variable good over name, vendor, attributes, time and content",
  { skip: needs("openssl") },
  () => {
    const bytes = Buffer.from(writeAuthenticatedVariable("PK", LIST, AT, { privateKey, certificate }));
    assert.equal(bytes.subarray(0, 16).toString("hex"), "ea070b1e0c2238000000000000000000");
    const length = bytes.readUInt32LE(16);
    assert.deepEqual(bytes.subarray(16 + length), Buffer.from(LIST));
    const signedData = bytes.subarray(40, 16 + length);
    // OpenSSL wants the ContentInfo that the variable must not have.
    const wrapped = Buffer.concat([
      Buffer.from(`3082${(signedData.length + 15).toString(16).padStart(4, "0")}06092a864886f70d010702a082`, "hex"),
      Buffer.from(signedData.length.toString(16).padStart(4, "0"), "hex"),
      signedData,
    ]);
    const covered = Buffer.concat([
      Buffer.from("50004b00", "hex"),
      Buffer.from("61dfe48bca93d211aa0d00e098032b8c", "hex"),
      Buffer.from("27000000", "hex"),
      bytes.subarray(0, 16),
      LIST,
    ]);
    const [signature, content, pem] = ["signature", "content", "pem"].map((name) => join(directory, name));
    assert.ok(signature !== undefined && content !== undefined && pem !== undefined);
    writeFileSync(signature, wrapped);
    writeFileSync(content, covered);
    writeFileSync(pem, certificate.toString());
    const verify = ["smime", "-verify", "-inform", "DER", "-binary", "-noverify", "-certfile", pem];
    execFileSync("openssl", [...verify, "-in", signature, "-content", content], { stdio: "pipe" });
    // Where firmware looks for the name of the digest: 13 bytes after the beginning (EDK II, AuthService.c).
    assert.equal(signedData.subarray(13, 22).toString("hex"), "608648016503040201");
  },
);

test("a time that EFI_TIME does not have is refused", () => {
  const write = (at: Date) => () => writeAuthenticatedVariable("db", LIST, at, { privateKey, certificate });
  refuses(write(new Date("1899-12-31")), /1900 to 9999/u, "invalid");
  refuses(write(new Date(Number.NaN)), /1900 to 9999/u, "invalid");
});

test("what firmware has measured of Secure Boot is read: variables, and the entry that let a program through", () => {
  const variables = VARIABLES.map(({ data }) => parseMeasuredVariable(data));
  assert.deepEqual(
    variables.map(({ name, content }) => [name, content.length]),
    [
      ["SecureBoot", 1],
      ["PK", 935],
      ["KEK", 935],
      ["db", 935],
      ["dbx", 76],
      ["db", 907],
    ],
  );
  for (const { name, vendor } of variables)
    assert.equal(new Map(Object.entries(SECURE_BOOT_VENDORS)).get(name), vendor);
  const [db] = parseSignatureLists(variables[3]?.content ?? new Uint8Array());
  assert.equal(db?.type, SIGNATURE_TYPES.x509);
  assert.equal(new X509Certificate(db.data).publicKey.asymmetricKeyType, "rsa");
  const [dbx] = parseSignatureLists(variables[4]?.content ?? new Uint8Array());
  assert.equal(dbx?.type, SIGNATURE_TYPES.sha256);
});

test("lists and variables that do not add up are refused", () => {
  const list = (offset: number, value: number): Uint8Array => {
    const copy = Buffer.from(LIST);
    copy.writeUInt32LE(value, offset);
    return copy;
  };
  for (const [bytes, message] of [
    [LIST.subarray(0, 20), /needs/u],
    [list(16, 20), /whole signatures/u],
    [list(16, LIST.length + 1), /whole signatures/u],
    [list(24, 16), /whole signatures/u],
    [list(20, 0xffff_ffff), /whole signatures/u],
    [Buffer.concat([LIST, Buffer.alloc(3)]), /needs/u],
    [new Uint8Array(256 * 1024 + 1), /at most/u],
  ] as const) {
    assert.throws(() => parseSignatureLists(bytes), { message });
  }
  const [first] = VARIABLES;
  assert.ok(first !== undefined);
  for (const [bytes, message] of [
    [first.data.subarray(0, 30), /needs/u],
    [first.data.subarray(0, -1), /VariableDataLength/u],
    [patched(first.data, 17, 0xff), /at most 256/u],
  ] as const) {
    assert.throws(() => parseMeasuredVariable(bytes), { message });
  }
  survivesAnything(parseSignatureLists, [LIST]);
  survivesAnything(
    parseMeasuredVariable,
    VARIABLES.map(({ data }) => data),
  );
});
