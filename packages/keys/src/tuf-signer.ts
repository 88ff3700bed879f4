import { createPublicKey, hash, sign, type KeyObject } from "node:crypto";
import { canonicalJson } from "@ashlar/base";
import { Key, Signature } from "@tufjs/models";

/** Signs a role's metadata: what `Metadata.sign()` of @tufjs/models calls with the canonical bytes. */
export type TufSigner = { readonly key: Key; readonly sign: (bytes: Buffer) => Signature };

export function createTufSigner(privateKey: KeyObject): TufSigner {
  const key = tufKeyOf(createPublicKey(privateKey));
  return {
    key,
    sign: (bytes) => new Signature({ keyID: key.keyID, sig: sign(null, bytes, privateKey).toString("hex") }),
  };
}

/** @param key one that {@link tufKeyOf} made, or a root role names */
export function publicKeyOf({ keyVal }: Key): KeyObject {
  const x = Buffer.from(keyVal["public"] ?? "", "hex").toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}

/** The identifier is the digest of the key's canonical JSON (TUF specification 1.0.31, section 4.2). */
export function tufKeyOf(publicKey: KeyObject): Key {
  const { x = "" } = publicKey.export({ format: "jwk" });
  const parts = {
    keytype: "ed25519",
    scheme: "ed25519",
    keyval: { public: Buffer.from(x, "base64url").toString("hex") },
  };
  return Key.fromJSON(hash("sha256", canonicalJson(parts)), parts);
}
