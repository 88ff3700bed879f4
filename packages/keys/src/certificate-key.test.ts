import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readCertificateKey } from "./certificate-key.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-certificate-key-"));
after(() => rmSync(directory, { recursive: true }));
const path = join(directory, "key.pem");
const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const pem = { type: "pkcs8", format: "pem" } as const;
const nobody = async (): Promise<string> => await Promise.reject(new Error("asked"));

function write(content: string | Buffer, mode = 0o600): void {
  writeFileSync(path, content);
  chmodSync(path, mode);
}

test("a key for its owner alone, with a passphrase or without", async () => {
  write(privateKey.export(pem));
  assert.ok((await readCertificateKey(path, nobody)).publicKey.equals(publicKey));
  write(privateKey.export({ ...pem, cipher: "aes-256-cbc", passphrase: "right" }));
  assert.ok((await readCertificateKey(path, async () => "right")).privateKey.equals(privateKey));
  await assert.rejects(
    readCertificateKey(path, async () => "wrong"),
    { code: "invalid" },
  );
  write(privateKey.export(pem), 0o640);
  await assert.rejects(readCertificateKey(path, nobody), { code: "untrusted", hint: `chmod 600 ${path}` });
  write(publicKey.export({ type: "spki", format: "pem" }));
  await assert.rejects(readCertificateKey(path, nobody), { code: "malformed" });
  await assert.rejects(readCertificateKey(join(directory, "none"), nobody), { code: "not-found" });
});
