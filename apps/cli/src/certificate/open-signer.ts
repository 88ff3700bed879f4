import { spawnSync } from "node:child_process";
import type { KeyObject } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { readCertificateKey } from "@ashlar/keys";
import { isSignature, isStatementKey, signerOf, type Signer } from "@ashlar/statements";
import { createPassphraseSource } from "../release/passphrase.ts";
import { readPublicKey } from "./read-certificate.ts";
import type { SignerOptions } from "./signer-options.ts";

/** @throws AshlarError `usage`, and what reading keys throws; the signer itself throws `failed` and `untrusted` */
export async function openSigner(options: SignerOptions): Promise<Signer> {
  const { key, passphraseFile, signWith, publicKey } = options;
  if (key !== undefined && signWith === undefined && publicKey === undefined) {
    const keys = await readCertificateKey(key, createPassphraseSource(passphraseFile));
    if (isStatementKey(keys.privateKey)) return signerOf(keys);
    throw new AshlarError("invalid", `${key}: expected a key for Ed25519 or for ECDSA on P-256`, {
      hint: "make one: openssl genpkey -algorithm ed25519 -out certify.pem",
    });
  }
  if (key === undefined && signWith !== undefined && publicKey !== undefined) {
    return signerOfCommand(signWith, await readPublicKey(publicKey));
  }
  throw new AshlarError("usage", "expected either --key, or --sign-with and --public-key", {
    hint: "--key is a file; --sign-with a command that has the key elsewhere",
  });
}

/** More than a signature in any form. */
const MAX_OUTPUT_BYTES = 64 * 1024;

/** It may ask for a PIN on the terminal, and take the time that somebody needs to touch a token. */
function signerOfCommand(command: string, publicKey: KeyObject): Signer {
  return {
    publicKey,
    sign: (bytes) => {
      const { status, signal, error, stdout } = spawnSync("/bin/sh", ["-c", command], {
        input: bytes,
        maxBuffer: MAX_OUTPUT_BYTES,
        stdio: ["pipe", "pipe", "inherit"],
      });
      if (error !== undefined || status !== 0) {
        const found = error?.message ?? (signal === null ? `status ${status}` : signal);
        throw new AshlarError("failed", `--sign-with: expected a command that signs, found ${found}`);
      }
      // What nobody could verify is not worth a file.
      if (isSignature(bytes, publicKey, stdout)) return stdout;
      throw new AshlarError("untrusted", "--sign-with: expected a signature by --public-key, found other bytes", {
        hint: "the 64 bytes of Ed25519, or ECDSA over SHA-256 in DER, and nothing else on standard output",
      });
    },
  };
}
