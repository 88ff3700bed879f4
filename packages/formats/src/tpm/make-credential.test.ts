import assert from "node:assert/strict";
import { createECDH, createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { writeCredentialFile } from "./credential-file.ts";
import { keyObjectOf, nameOf } from "./key.ts";
import { makeCredential } from "./make-credential.ts";
import { parsePublic, type TpmPublic } from "./public.ts";
import { patched, refuses } from "./test-malformed.ts";
import { missingTpmTools, startSwtpm, type Swtpm } from "./test-swtpm.ts";
import { vector } from "./test-vectors.ts";

type Keys = { readonly ek: TpmPublic; readonly ak: TpmPublic };

/** Whether EKs of the kind are authorised by policy, or (the TCG's high-range templates) by their empty password. */
const KINDS = [
  { kind: "rsa", byPolicy: true, maxSecretBytes: 32 },
  { kind: "ecc", byPolicy: true, maxSecretBytes: 32 },
  { kind: "ecc384", byPolicy: false, maxSecretBytes: 48 },
  { kind: "rsa3072", byPolicy: false, maxSecretBytes: 48 },
  { kind: "ecc521", byPolicy: false, maxSecretBytes: 64 },
] as const;

function createKeys(tpm: Swtpm, kind: string): Keys {
  tpm.run("tpm2_createek", "-c", "ek.ctx", "-G", kind, "-u", "ek.pub");
  tpm.run(
    "tpm2_createak",
    "-C",
    "ek.ctx",
    "-c",
    "ak.ctx",
    "-G",
    "ecc",
    "-g",
    "sha256",
    "-s",
    "ecdsa",
    "-u",
    "ak.pub",
    "-n",
    "ak.name",
  );
  const keys = { ek: parsePublic(tpm.read("ek.pub")), ak: parsePublic(tpm.read("ak.pub")) };
  assert.deepEqual(Buffer.from(nameOf(keys.ak)), tpm.read("ak.name"));
  assert.equal(keys.ak.attributes, 0x0005_0072);
  return keys;
}

/** What the TPM gives back, or undefined when it refuses the credential. */
function activate(tpm: Swtpm, credential: Uint8Array, byPolicy: boolean): Uint8Array | undefined {
  writeFileSync(join(tpm.directory, "credential"), credential);
  const args = ["-c", "ak.ctx", "-C", "ek.ctx", "-i", "credential", "-o", "secret"];
  if (byPolicy) {
    tpm.run("tpm2_startauthsession", "--policy-session", "-S", "session");
    tpm.run("tpm2_policysecret", "-S", "session", "-c", "e");
    args.push("-P", "session:session");
  }
  const accepted = tpm.succeeds("tpm2_activatecredential", ...args);
  tpm.succeeds("tpm2_flushcontext", "--transient-object");
  if (byPolicy) tpm.run("tpm2_flushcontext", "session");
  return accepted ? tpm.read("secret") : undefined;
}

test("a real TPM gives the secret back", { skip: missingTpmTools() }, async (context) => {
  for (const { kind, byPolicy, maxSecretBytes } of KINDS) {
    await context.test(`${kind} EK`, async () => {
      using tpm = await startSwtpm();
      const { ek, ak } = createKeys(tpm, kind);
      // As parsed, and as an EK certificate gives it.
      for (const ekPublic of [ek, keyObjectOf(ek)]) {
        for (const secret of [randomBytes(1), randomBytes(maxSecretBytes)]) {
          const credential = makeCredential({ ekPublic, name: nameOf(ak), secret, random: randomBytes });
          assert.deepEqual(activate(tpm, writeCredentialFile(credential), byPolicy), secret);
        }
      }
      // The first byte of a coordinate of P-521 is zero every other time.
      if (kind !== "ecc" && kind !== "ecc384") return;
      const credential = makeCredential({
        ekPublic: ek,
        name: nameOf(ak),
        secret: Buffer.from("x with a leading zero"),
        random: scalarWithShortX(kind === "ecc" ? "prime256v1" : "secp384r1"),
      });
      assert.equal(credential.encryptedSecret[4], 0);
      assert.equal(activate(tpm, writeCredentialFile(credential), byPolicy)?.toString(), "x with a leading zero");
    });
  }
});

test(
  "a real TPM refuses a credential for another key, another TPM, or changed",
  { skip: missingTpmTools() },
  async () => {
    using tpm = await startSwtpm();
    const { ek, ak } = createKeys(tpm, "rsa");
    const secret = randomBytes(32);
    const made = (ekPublic: TpmPublic, name: Uint8Array): Uint8Array =>
      writeCredentialFile(makeCredential({ ekPublic, name, secret, random: randomBytes }));
    const right = made(ek, nameOf(ak));
    assert.deepEqual(activate(tpm, right, true), secret);
    assert.equal(activate(tpm, made(ek, vector("quotes/ak_ecc.name")), true), undefined, "another AK's name");
    assert.equal(activate(tpm, made(parsePublic(vector("quotes/ek.pub")), nameOf(ak)), true), undefined, "another EK");
    const lastOfBlob = 8 + 2 + 2 + 32 + 2 + 31;
    for (const [what, offset] of [
      ["HMAC", 12],
      ["identity", lastOfBlob],
      ["seed", right.length - 1],
    ] as const) {
      assert.equal(activate(tpm, patched(right, offset, (right[offset] ?? 0) ^ 1), true), undefined, what);
    }
  },
);

/** A source of randomness that gives a scalar whose point has a zero as its x-coordinate's first byte. */
function scalarWithShortX(curve: string): (sizeBytes: number) => Uint8Array {
  return (sizeBytes) => {
    const ecdh = createECDH(curve);
    for (let seed = 1; ; seed++) {
      const scalar = createHash("shake256", { outputLength: sizeBytes }).update(`${seed}`).digest();
      ecdh.setPrivateKey(scalar);
      if (ecdh.getPublicKey()[1] === 0) return scalar;
    }
  };
}

test("the same randomness makes the same credential, other randomness another one", () => {
  const fill = (value: number) => (sizeBytes: number) => new Uint8Array(sizeBytes).fill(value);
  const name = vector("quotes/ak_ecc.name");
  for (const file of ["quotes/ek.pub", "quotes/ekecc.pub"]) {
    const ekPublic = parsePublic(vector(file));
    const make = (random: (sizeBytes: number) => Uint8Array): unknown =>
      makeCredential({ ekPublic, name, secret: Uint8Array.of(1), random });
    assert.deepEqual(make(fill(1)), make(fill(1)));
    assert.notDeepEqual(make(fill(1)), make(fill(2)));
  }
});

test("tries again when a random number is no private key, and not for ever", () => {
  const request = {
    ekPublic: parsePublic(vector("quotes/ekecc.pub")),
    name: vector("quotes/ak_ecc.name"),
    secret: Uint8Array.of(1),
  };
  let calls = 0;
  makeCredential({ ...request, random: (sizeBytes) => new Uint8Array(sizeBytes).fill(calls++ === 0 ? 0xff : 1) });
  assert.equal(calls, 2);
  assert.throws(() => makeCredential({ ...request, random: (sizeBytes) => new Uint8Array(sizeBytes) }));
});

test("refuses secrets, names and endorsement keys that cannot be", () => {
  const ekPublic = parsePublic(vector("quotes/ek.pub"));
  const name = vector("quotes/ak_rsa.name");
  const secret = Uint8Array.of(1);
  const random = randomBytes;
  const invalid = (request: Partial<Parameters<typeof makeCredential>[0]>, message: RegExp): void =>
    refuses(() => makeCredential({ ekPublic, name, secret, random, ...request }), message, "invalid");
  invalid({ secret: new Uint8Array() }, /secret: expected 1 to 32 bytes, found 0/u);
  invalid({ secret: new Uint8Array(33) }, /secret: expected 1 to 32 bytes, found 33/u);
  invalid({ name: new Uint8Array(2) }, /name: .*found 2 bytes/u);
  invalid({ ekPublic: parsePublic(vector("quotes/ak_rsa.pub")) }, /expected a storage key/u);
  const pairs = [
    generateKeyPairSync("rsa", { modulusLength: 1024 }),
    generateKeyPairSync("ec", { namedCurve: "secp256k1" }),
    generateKeyPairSync("ed25519"),
  ];
  for (const pair of pairs)
    invalid({ ekPublic: pair.publicKey }, /expected a public RSA-2048, RSA-3072, P-256, P-384 or P-521 key/u);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  invalid({ ekPublic: privateKey }, /found private ec/u);
});
