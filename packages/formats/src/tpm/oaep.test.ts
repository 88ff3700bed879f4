import assert from "node:assert/strict";
import { constants, generateKeyPairSync, privateDecrypt, randomBytes } from "node:crypto";
import { test } from "node:test";
import { encryptOaep } from "./oaep.ts";

test("OpenSSL decrypts what is encrypted here, for messages of every size", () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const label = Buffer.from("IDENTITY\0");
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  for (const [hash, hashBytes] of [
    ["sha256", 32],
    ["sha384", 48],
  ] as const) {
    for (const messageBytes of [0, 1, hashBytes, 256 - 2 * hashBytes - 2]) {
      const message = randomBytes(messageBytes);
      const encrypted = encryptOaep(publicKey, hash, label, message, randomBytes(hashBytes));
      assert.equal(encrypted.length, 256);
      const decrypted = privateDecrypt({ key: privateKey, padding, oaepHash: hash, oaepLabel: label }, encrypted);
      assert.deepEqual(decrypted, message);
    }
  }
});
