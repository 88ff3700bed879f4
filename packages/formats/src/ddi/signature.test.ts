import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPrivateKey, hash, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { needs } from "@ashlar/base/test-needs";
import { joined, patched, refuses, survivesAnything } from "../tpm/test-malformed.ts";
import { der, nothing, objectIdentifier, sequence, set } from "../x509/der.ts";
import { DER_TAGS, DerReader } from "../x509/der-reader.ts";
import { issuerAndSerialOf } from "../x509/signed-data.ts";
import { parseDetachedSignature } from "./detached-signature.ts";
import { signRootHash, writeSignaturePartition } from "./sign-root-hash.ts";
import { parseSignaturePartition } from "./signature-partition.ts";
import { verifyRootHashSignature } from "./verify-signature.ts";

const VECTOR = join(import.meta.dirname, "../../../../test/vectors/verity-signature.json");
/** As systemd-repart writes it; the vector has been formatted. */
const TEXT = JSON.stringify(JSON.parse(readFileSync(VECTOR, "utf8")));
const SIGNED = parseSignaturePartition(Buffer.from(TEXT));
const directory = mkdtempSync(join(tmpdir(), "ashlar-ddi-"));
after(() => rmSync(directory, { recursive: true }));

/** The certificate that came along in the signature. */
const CERTIFICATE = certificateInside(SIGNED.signature);

function certificateInside(signature: Uint8Array): X509Certificate {
  const signedData = new DerReader(signature, "signature").inner(DER_TAGS.sequence, "ContentInfo");
  signedData.element(DER_TAGS.objectIdentifier, "type");
  const fields = signedData.inner(DER_TAGS.context0, "content").inner(DER_TAGS.sequence, "SignedData");
  for (const tag of [DER_TAGS.integer, DER_TAGS.set, DER_TAGS.sequence]) fields.element(tag, "field");
  return new X509Certificate(fields.element(DER_TAGS.context0, "certificates").content);
}

/** A key and a certificate of OpenSSL's making. */
function signer(name: string, ...keyOptions: readonly string[]): { key: string; certificate: X509Certificate } {
  const [key, certificate] = [join(directory, `${name}.key`), join(directory, `${name}.crt`)];
  const options = ["req", "-x509", "-nodes", "-subj", `/CN=${name}`, "-keyout", key, "-out", certificate];
  execFileSync("openssl", [...options, ...keyOptions], { stdio: "pipe" });
  return { key, certificate: new X509Certificate(readFileSync(certificate)) };
}

test("systemd-repart's signature holds for its certificate and no other", { skip: needs("openssl") }, () => {
  assert.equal(hash("sha256", CERTIFICATE.raw), SIGNED.certificateSha256);
  const other = signer("other", "-newkey", "rsa:2048").certificate;
  assert.equal(verifyRootHashSignature(SIGNED, [other, CERTIFICATE]), CERTIFICATE);
  refuses(() => verifyRootHashSignature(SIGNED, [other]), /trusted certificate/u, "untrusted");
  refuses(() => verifyRootHashSignature(SIGNED, []), /trusted certificate/u, "untrusted");
  const certificateSha256 = hash("sha256", other.raw);
  refuses(() => verifyRootHashSignature({ ...SIGNED, certificateSha256 }, [other]), /names another/u, "untrusted");
});

test("a changed root hash or signature does not hold", () => {
  const rootHash = `0${SIGNED.rootHash.slice(1)}`;
  refuses(() => verifyRootHashSignature({ ...SIGNED, rootHash }, [CERTIFICATE]), /does not hold/u, "untrusted");
  const last = SIGNED.signature.length - 1;
  const signature = patched(SIGNED.signature, last, (SIGNED.signature[last] ?? 0) ^ 1);
  refuses(() => verifyRootHashSignature({ ...SIGNED, signature }, [CERTIFICATE]), /does not hold/u, "untrusted");
});

test("no byte of a signature can be changed", () => {
  for (let offset = 0; offset < SIGNED.signature.length; offset++) {
    const signature = patched(SIGNED.signature, offset, (SIGNED.signature[offset] ?? 0) ^ 1);
    assert.throws(() => verifyRootHashSignature({ ...SIGNED, signature }, [CERTIFICATE]), AshlarError, String(offset));
  }
});

for (const [name, keyOptions] of [
  ["rsa", ["-newkey", "rsa:3072"]],
  ["ec", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]],
] as const) {
  test(`OpenSSL's signatures: ${name}`, { skip: needs("openssl") }, () => {
    const { key, certificate } = signer(name, ...keyOptions);
    const content = join(directory, "hash");
    writeFileSync(content, SIGNED.rootHash);
    const make = (...options: readonly string[]): Uint8Array => {
      const files = ["-in", content, "-signer", certificate.subject.replace("CN=", `${directory}/`).concat(".crt")];
      const fixed = ["smime", "-sign", "-binary", "-outform", "DER", "-inkey", key, ...files];
      return new Uint8Array(execFileSync("openssl", [...fixed, ...options]));
    };
    const signed = { ...SIGNED, certificateSha256: hash("sha256", certificate.raw) };
    for (const digest of ["sha256", "sha512"]) {
      const signature = make("-noattr", "-md", digest);
      assert.equal(verifyRootHashSignature({ ...signed, signature }, [certificate]), certificate);
      const bare = make("-noattr", "-nocerts", "-md", digest);
      assert.equal(verifyRootHashSignature({ ...signed, signature: bare }, [certificate]), certificate);
    }
    const own = signRootHash(SIGNED.rootHash, { privateKey: createPrivateKey(readFileSync(key)), certificate });
    assert.equal(verifyRootHashSignature(own, [certificate]), certificate);
    assert.deepEqual(parseSignaturePartition(writeSignaturePartition(own)), own);
    // Of ECDSA, each signature is another.
    if (name === "rsa") assert.deepEqual(own.signature, make("-noattr", "-md", "sha256"));
    const wrong = { privateKey: createPrivateKey(readFileSync(key)), certificate: CERTIFICATE };
    refuses(() => signRootHash(SIGNED.rootHash, wrong), /key of the certificate/u, "invalid");
    const refused: readonly [readonly string[], RegExp][] = [
      [[], /authenticatedAttributes/u],
      [["-noattr", "-md", "sha1"], /expected SHA-2/u],
      [["-noattr", "-nodetach"], /expected the end/u],
    ];
    for (const [options, message] of refused) refuses(() => parseDetachedSignature(make(...options)), message);
  });
}

/** A signature of our own making, for what OpenSSL does not make. */
function handmade(change: {
  readonly version?: number;
  readonly signerVersion?: number;
  readonly type?: string;
  readonly inner?: string;
  readonly digests?: string;
  readonly digest?: string;
  readonly algorithm?: string;
  readonly extra?: Uint8Array;
  readonly signers?: number;
}): Uint8Array {
  const integer = (value: number): Uint8Array => der(DER_TAGS.integer, Uint8Array.of(value));
  const algorithm = (oid: string): Uint8Array => sequence(objectIdentifier(oid), nothing());
  const signerInfo = sequence(
    integer(change.signerVersion ?? 1),
    issuerAndSerialOf(CERTIFICATE.raw),
    algorithm(change.digest ?? "2.16.840.1.101.3.4.2.1"),
    algorithm(change.algorithm ?? "1.2.840.113549.1.1.1"),
    der(DER_TAGS.octetString, Uint8Array.of(1)),
    change.extra ?? new Uint8Array(),
  );
  const signedData = sequence(
    integer(change.version ?? 1),
    set(algorithm(change.digests ?? "2.16.840.1.101.3.4.2.1")),
    sequence(objectIdentifier(change.inner ?? "1.2.840.113549.1.7.1")),
    set(...Array.from({ length: change.signers ?? 1 }, () => signerInfo)),
  );
  return sequence(objectIdentifier(change.type ?? "1.2.840.113549.1.7.2"), der(DER_TAGS.context0, signedData));
}

test("malformed signatures: each field", () => {
  assert.equal(parseDetachedSignature(handmade({})).keyType, "rsa");
  refuses(() => parseDetachedSignature(handmade({ type: "1.2.3" })), /contentType \(signedData\)/u);
  refuses(() => parseDetachedSignature(handmade({ version: 3 })), /version: expected 1/u);
  refuses(() => parseDetachedSignature(handmade({ digests: "1.3.14.3.2.26" })), /digestAlgorithms: expected SHA-2/u);
  refuses(() => parseDetachedSignature(handmade({ digests: "2.16.840.1.101.3.4.2.3" })), /expected sha512 as said/u);
  refuses(() => parseDetachedSignature(handmade({ inner: "1.2.3" })), /contentType \(data\)/u);
  refuses(() => parseDetachedSignature(handmade({ signers: 0 })), /SignerInfo needs/u);
  refuses(() => parseDetachedSignature(handmade({ signers: 2 })), /expected the end/u);
  refuses(() => parseDetachedSignature(handmade({ signerVersion: 2 })), /version: expected 1/u);
  refuses(() => parseDetachedSignature(handmade({ digest: "1.3.14.3.2.26" })), /digestAlgorithm: expected SHA-2/u);
  refuses(() => parseDetachedSignature(handmade({ algorithm: "1.3.101.112" })), /digestEncryptionAlgorithm/u);
  refuses(() => parseDetachedSignature(handmade({ extra: nothing() })), /expected the end/u);
  refuses(() => parseDetachedSignature(joined(handmade({}), Uint8Array.of(0))), /expected the end/u);
  refuses(() => parseDetachedSignature(new Uint8Array()), /needs/u);
  refuses(() => parseDetachedSignature(handmade({}).subarray(0, -1)), /needs/u);
});

test("DER that is not in its shortest form is refused", () => {
  const read = (...bytes: readonly number[]) => new DerReader(Uint8Array.from(bytes), "test").element(0x30, "it");
  assert.equal(read(0x30, 0).content.length, 0);
  refuses(() => read(0x30, 0x81, 0x01, 0), /shortest form/u);
  refuses(() => read(0x30, 0x82, 0x00, 0x80), /needs|shortest/u);
  refuses(() => read(0x30, 0x80, 0, 0), /length of 1 to 3/u);
  refuses(() => read(0x30, 0x84, 0, 0, 0, 1), /length of 1 to 3/u);
  refuses(() => read(0x31, 0), /expected tag 0x30/u);
});

test("malformed signature partitions: each field", () => {
  const of =
    (text: string): (() => unknown) =>
    () =>
      parseSignaturePartition(Buffer.from(text));
  const padded = joined(TEXT, new Uint8Array(100));
  assert.deepEqual(parseSignaturePartition(padded), SIGNED);
  refuses(() => parseSignaturePartition(patched(padded, padded.length - 1, 1)), /NUL bytes/u);
  refuses(() => parseSignaturePartition(new Uint8Array(65 * 1024)), /at most 65536/u, "limit");
  refuses(of(""), /JSON object/u);
  refuses(of("[]"), /JSON object/u);
  refuses(of(TEXT.slice(0, -1)), /JSON object/u);
  refuses(of(TEXT.replace(SIGNED.rootHash, SIGNED.rootHash.toUpperCase())), /rootHash/u);
  refuses(of(TEXT.replace(SIGNED.certificateSha256, "00")), /certificateFingerprint/u);
  refuses(of(TEXT.replace('"signature":"', '"signature":"-')), /signature: expected base64/u);
  refuses(of(TEXT.replace("rootHash", "roothash")), /found "roothash"/u);
  refuses(of(`${TEXT.slice(0, -1)},"more":1}`), /found "more"/u);
  refuses(of(TEXT.replace("{", "{ ")), /without spaces/u);
  refuses(of(TEXT.replace("{", `{"rootHash":"${"0".repeat(64)}",`)), /every field once/u);
});

test("fuzz: signatures", () => {
  survivesAnything(parseDetachedSignature, [SIGNED.signature, handmade({})]);
  survivesAnything((bytes) => parseSignaturePartition(bytes), [Buffer.from(TEXT)]);
  survivesAnything((signature) => verifyRootHashSignature({ ...SIGNED, signature }, [CERTIFICATE]), [SIGNED.signature]);
});
