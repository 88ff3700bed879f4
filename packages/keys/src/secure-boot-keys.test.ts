import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { KeyDirectory } from "./key-directory.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-secure-boot-keys-"));
after(() => rmSync(directory, { recursive: true }));

const none = async (): Promise<undefined> => undefined;
const nobody = async (): Promise<never> => {
  throw new Error("nobody is there to give a passphrase");
};

test("a new directory has keys for Secure Boot, which only its owner reads, with what enrols them", async () => {
  const path = join(directory, "new");
  const keys = new KeyDirectory(path, nobody);
  await keys.create(none);
  for (const name of ["pk", "kek", "db"]) {
    assert.equal(statSync(join(path, `secure-boot-${name}.pem`)).mode & 0o777, 0o600);
    assert.ok(statSync(join(path, `secure-boot-${name}.auth`)).size > 1000);
  }
  const { signer, parts } = await keys.secureBootKeys();
  assert.ok(signer.certificate.checkPrivateKey(signer.privateKey));
  assert.equal(signer.certificate.fingerprint256, parts.db.certificate.fingerprint256);
  assert.equal(signer.privateKey.asymmetricKeyDetails?.modulusLength, 2048);
  assert.equal(parts.PK.certificate.subject, "CN=Ashlar Secure Boot PK");
  for (const { certificate, variable } of Object.values(parts)) {
    assert.ok(Buffer.from(variable).subarray(-certificate.raw.length).equals(certificate.raw));
  }
  const digests = (): string[] => readdirSync(path).map((name) => hash("sha256", readFileSync(join(path, name))));
  const before = digests();
  await keys.create(none);
  assert.deepEqual(digests(), before, "repeated, it changes nothing");
});

test("to sign, only the private key of db is needed, and its passphrase is that of the others", async () => {
  const path = join(directory, "encrypted");
  await new KeyDirectory(path, nobody).create(async () => "correct horse");
  for (const name of ["pk", "kek"]) rmSync(join(path, `secure-boot-${name}.pem`));
  const keys = new KeyDirectory(path, async () => "correct horse");
  await keys.secureBootKeys();
  await keys.create(nobody);
  assert.ok(!readdirSync(path).includes("secure-boot-pk.pem"), "it is kept elsewhere");
  await assert.rejects(new KeyDirectory(path, async () => "wrong").secureBootKeys(), { code: "invalid" });
});

test("a directory of an older version says which command adds the keys, and that command does", async () => {
  const path = join(directory, "older");
  const keys = new KeyDirectory(path, nobody);
  await keys.create(none);
  for (const name of readdirSync(path)) if (name.startsWith("secure-boot-")) rmSync(join(path, name));
  await assert.rejects(keys.secureBootKeys(), { code: "not-found", hint: /ashlar release init/u });
  await keys.create(none);
  await keys.secureBootKeys();
});

test("a certificate of another key is refused", async () => {
  const path = join(directory, "mixed");
  const keys = new KeyDirectory(path, nobody);
  await keys.create(none);
  rmSync(join(path, "secure-boot-db.pem"));
  rmSync(join(path, "secure-boot-db.crt"));
  const old = (await keys.secureBootKeys().catch(() => undefined))?.signer;
  assert.equal(old, undefined);
  await keys.create(none);
  await assert.rejects(keys.secureBootKeys(), { code: "invalid", message: /secure-boot-db\.auth is not of/u });
});
