import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { needs } from "@ashlar/base/test-needs";
import { patched, refuses, survivesAnything } from "../tpm/test-malformed.ts";
import type { CertificateSigner } from "../x509/signed-data.ts";
import { signingCertificatePem } from "../x509/self-signed-certificate.ts";
import { authenticodeDigest } from "./authenticode-digest.ts";
import { parseCertificateTable } from "./authenticode-signature.ts";
import { parsePe } from "./parse-pe.ts";
import { buildPe, PE_FIELDS } from "./pe-fixture.ts";
import { signPe } from "./sign-pe.ts";
import { verifyPe } from "./verify-pe.ts";

const VECTOR = readFileSync(join(import.meta.dirname, "../../../../test/vectors/pe/two-sections.efi"));
/** 3 bytes more than a multiple of 8: the signature has to be aligned. */
const ODD = Buffer.concat([buildPe([{ name: ".text", data: Buffer.from("code") }]), Buffer.from("abc")]);
const directory = mkdtempSync(join(tmpdir(), "ashlar-sign-"));
after(() => rmSync(directory, { recursive: true }));

function newSigner(name: string): CertificateSigner {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const certificate = new X509Certificate(signingCertificatePem(privateKey, name, Buffer.alloc(16, name.length)));
  return { privateKey, certificate };
}

const OWNER = newSigner("owner");
const OTHER = newSigner("somebody else");

function filesOf({ privateKey, certificate }: CertificateSigner): { key: string; pem: string } {
  const [key, pem] = [join(directory, "key.pem"), join(directory, "certificate.pem")];
  writeFileSync(key, privateKey.export({ type: "pkcs8", format: "pem" }));
  writeFileSync(pem, certificate.toString());
  return { key, pem };
}

for (const [what, bytes] of [
  ["of ld's making", VECTOR],
  ["of an odd length", ODD],
] as const) {
  test(`a signed file ${what} keeps its digest, is signed alike each time, and holds for its signer alone`, () => {
    const signed = signPe(bytes, OWNER);
    for (const algorithm of ["sha256", "sha384"] as const)
      assert.deepEqual(authenticodeDigest(signed, algorithm), authenticodeDigest(bytes, algorithm));
    assert.deepEqual(signPe(bytes, OWNER), signed);
    assert.equal(verifyPe(signed, [OTHER.certificate, OWNER.certificate]), OWNER.certificate);
    refuses(() => verifyPe(signed, [OTHER.certificate]), /found one by another certificate/u, "untrusted");
    refuses(() => verifyPe(signed, []), /found one by another/u, "untrusted");
    refuses(() => verifyPe(bytes, [OWNER.certificate]), /found no signature/u, "untrusted");
    refuses(() => signPe(signed, OWNER), /found one that is signed/u, "invalid");
  });

  test(
    `sbverify and osslsigncode take our signature of a file ${what}`,
    { skip: needs("sbverify", "osslsigncode") },
    () => {
      const { pem } = filesOf(OWNER);
      const path = join(directory, "signed.efi");
      writeFileSync(path, signPe(bytes, OWNER));
      execFileSync("sbverify", ["--cert", pem, path], { stdio: "pipe" });
      const { stdout } = spawnSync("osslsigncode", ["verify", "-CAfile", pem, "-in", path], { encoding: "utf8" });
      const [theirs, calculated] = ["Current", "Calculated"].map(
        (which) => new RegExp(`${which} message digest\\s*:\\s*([0-9A-F]{64})`, "u").exec(stdout)?.[1],
      );
      assert.equal(theirs?.toLowerCase(), Buffer.from(authenticodeDigest(bytes, "sha256")).toString("hex"));
      assert.equal(calculated, theirs);
      writeFileSync(path, signPe(bytes, OTHER));
      assert.notEqual(spawnSync("sbverify", ["--cert", pem, path]).status, 0);
    },
  );
}

test("what sbsign and osslsigncode sign holds for us", { skip: needs("sbsign", "osslsigncode") }, () => {
  const { key, pem } = filesOf(OWNER);
  const [plain, signed, twice] = ["plain.efi", "theirs.efi", "twice.efi"].map((name) => join(directory, name));
  assert.ok(plain !== undefined && signed !== undefined && twice !== undefined);
  writeFileSync(plain, VECTOR);
  execFileSync("sbsign", ["--key", key, "--cert", pem, "--output", signed, plain], { stdio: "pipe" });
  assert.equal(verifyPe(readFileSync(signed), [OWNER.certificate]), OWNER.certificate);
  const other = filesOf(OTHER);
  execFileSync("sbsign", ["--key", other.key, "--cert", other.pem, "--output", twice, signed], { stdio: "pipe" });
  assert.equal(verifyPe(readFileSync(twice), [OTHER.certificate]), OTHER.certificate);
  rmSync(signed);
  const sign = ["sign", "-h", "sha256", "-certs", other.pem, "-key", other.key, "-in", plain, "-out", signed];
  execFileSync("osslsigncode", sign, { stdio: "pipe" });
  assert.equal(verifyPe(readFileSync(signed), [OTHER.certificate]), OTHER.certificate);
});

test("a changed file, digest, attribute or signature does not hold", () => {
  const signed = signPe(VECTOR, OWNER);
  const { certificateTable } = parsePe(signed);
  assert.ok(certificateTable !== undefined);
  const verify = (bytes: Uint8Array) => () => verifyPe(bytes, [OWNER.certificate]);
  refuses(verify(patched(signed, 0x200, (signed[0x200] ?? 0) ^ 1)), /signature of another file/u, "untrusted");
  const [parsed] = parseCertificateTable(signed.subarray(certificateTable.offset));
  assert.ok(parsed !== undefined);
  const at = (part: Uint8Array): number => Buffer.from(signed).indexOf(part) + part.length - 1;
  for (const [part, message] of [
    [parsed.imageDigest, /signature of another file/u],
    [parsed.contentDigest, /does not hold/u],
    [parsed.signature, /does not hold/u],
  ] as const) {
    const place = at(part);
    refuses(verify(patched(signed, place, (signed[place] ?? 0) ^ 1)), message, "untrusted");
  }
});

test("certificate tables that others could read in another way are refused", () => {
  const signed = signPe(VECTOR, OWNER);
  const { certificateTable } = parsePe(signed);
  const table = Buffer.from(signed.subarray(certificateTable?.offset));
  const changed = (offset: number, value: number): Buffer => {
    const copy = Buffer.from(table);
    copy.writeUInt16LE(value, offset);
    return copy;
  };
  const cases: readonly (readonly [Uint8Array, RegExp])[] = [
    [table.subarray(0, 6), /needs 2 bytes/u],
    [changed(0, 4), /at least 8/u],
    [changed(0, 0xffff), /needs/u],
    [changed(4, 0x0100), /revision 0x200/u],
    [changed(6, 1), /type 2/u],
    [changed(0, table.readUInt16LE(0) - 4), /Authenticode signature/u],
    [Buffer.concat([table, Buffer.alloc(8)]), /at least 8/u],
    [Buffer.concat(Array.from({ length: 17 }, () => table)), /at most 16/u],
  ];
  for (const [bytes, message] of cases) assert.throws(() => parseCertificateTable(bytes), { message });
  survivesAnything(parseCertificateTable, [table]);
});

test("a file whose header has no place for a signature cannot be signed", () => {
  const bytes = buildPe([{ name: ".text", data: Buffer.from("code") }]);
  bytes.writeUInt32LE(4, PE_FIELDS.directoryCount);
  refuses(() => signPe(bytes, OWNER), /without room for a signature/u, "invalid");
});
