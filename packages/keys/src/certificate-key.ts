import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { stat } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import { readNamedFile } from "@ashlar/host";
import { requireOwnersAlone } from "./owners-alone.ts";
import type { AskPassphrase } from "./passphrase.ts";

/**
 * The private key that signs a fleet's certificates: a file of PEM, readable by its owner alone.
 *
 * @param ask gives the passphrase of one that is encrypted
 * @throws AshlarError `not-found`, `untrusted` (readable by others), `malformed`, `invalid` (passphrase)
 */
export async function readCertificateKey(
  path: string,
  ask: AskPassphrase,
): Promise<{ readonly privateKey: KeyObject; readonly publicKey: KeyObject }> {
  const pem = await readNamedFile(path, "a private key");
  const { mode } = await stat(path);
  requireOwnersAlone(path, mode);
  const isEncrypted = pem.includes("ENCRYPTED");
  const passphrase = isEncrypted ? await ask() : undefined;
  try {
    const privateKey = createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase });
    return { privateKey, publicKey: createPublicKey(privateKey) };
  } catch (error) {
    if (isEncrypted) throw new AshlarError("invalid", `${path}: the passphrase is not right`, { cause: error });
    throw new AshlarError("malformed", `${path}: expected a private key in PEM`, {
      hint: "make one: openssl genpkey -algorithm ed25519 -out certify.pem",
      cause: error,
    });
  }
}
