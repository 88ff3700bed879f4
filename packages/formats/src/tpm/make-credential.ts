import { createCipheriv, createECDH, createHmac, type ECDH, KeyObject } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { type HashName, hashSizeBytes } from "./hash-algorithm.ts";
import { keyObjectOf } from "./key.ts";
import { deriveByHash, deriveByHmac } from "./key-derivation.ts";
import { encryptOaep } from "./oaep.ts";
import type { TpmPublic } from "./public.ts";

export type CredentialRequest = {
  /**
   * The endorsement key. A bare key, as an EK certificate holds, is taken to have the hash and cipher of the TCG EK
   * Credential Profile's template for its type (RSA-2048 and P-256 with SHA-256 and AES-128, RSA-3072 and P-384 with
   * SHA-384 and AES-256, P-521 with SHA-512 and AES-256).
   */
  readonly ekPublic: KeyObject | TpmPublic;
  /** The name of the key that must be loaded beside the EK, `nameOf(ak)`. */
  readonly name: Uint8Array;
  /** What only that TPM can get back: 1 byte to the size of the EK's hash. */
  readonly secret: Uint8Array;
  /** The source of randomness: `randomBytes` of node:crypto, except in tests. */
  readonly random: (sizeBytes: number) => Uint8Array;
};

export type Credential = {
  /** TPM2B_ID_OBJECT. */
  readonly credentialBlob: Uint8Array;
  /** TPM2B_ENCRYPTED_SECRET. */
  readonly encryptedSecret: Uint8Array;
};

type Protection = { readonly key: KeyObject; readonly hash: HashName; readonly cipherKeyBytes: number };
type Seed = { readonly seed: Uint8Array; readonly encryptedSecret: Uint8Array };

/** The label of a credential's seed (TPM 2.0 Library Part 1, 24). */
const LABEL = "IDENTITY";
/** Node's names of the curves, and a coordinate's size in bytes. */
const CURVES: ReadonlyMap<string | undefined, number> = new Map([
  ["prime256v1", 32],
  ["secp384r1", 48],
  ["secp521r1", 66],
]);
/** What is left of the highest byte of a number of a curve's size: P-521 has 521 bits in 66 bytes. */
const HIGHEST_BYTE: ReadonlyMap<string, number> = new Map([["secp521r1", 0x01]]);
const CIPHER_BLOCK_BYTES = 16;
/** A random number is no private key of P-256, P-384 or P-521 with a chance below 2^-31. */
const EPHEMERAL_KEY_ATTEMPTS = 4;

/**
 * TPM2_MakeCredential without a TPM (TPM 2.0 Library Part 1, 24): encrypts `secret` so that TPM2_ActivateCredential
 * gives it back only where both the EK's private key and the key with this exact name are loaded.
 *
 * @throws AshlarError `invalid` for an EK of another kind, or a secret or name of a wrong size.
 */
export function makeCredential({ ekPublic, name, secret, random }: CredentialRequest): Credential {
  const protection = protectionOf(ekPublic);
  const { hash, cipherKeyBytes } = protection;
  const hashBytes = hashSizeBytes(hash);
  if (secret.length === 0 || secret.length > hashBytes) {
    throw new AshlarError("invalid", `credential secret: expected 1 to ${hashBytes} bytes, found ${secret.length}`);
  }
  if (name.length < 2 + hashSizeBytes("sha1")) {
    throw new AshlarError(
      "invalid",
      `credential name: expected a hash algorithm and digest, found ${name.length} bytes`,
    );
  }
  const { seed, encryptedSecret } =
    protection.key.asymmetricKeyType === "rsa" ? rsaSeed(protection, random) : eccSeed(protection, random);

  // Part 1, 24.4 and 24.5: encrypt, then authenticate together with the name.
  const cipherKey = deriveByHmac(hash, seed, "STORAGE", name, cipherKeyBytes);
  const zeros = new Uint8Array(CIPHER_BLOCK_BYTES);
  const cipher = createCipheriv(`aes-${cipherKeyBytes * 8}-cfb`, cipherKey, zeros);
  const identity = Buffer.concat([cipher.update(sized16(secret)), cipher.final()]);
  const hmacKey = deriveByHmac(hash, seed, "INTEGRITY", new Uint8Array(), hashBytes);
  const hmac = createHmac(hash, hmacKey).update(identity).update(name).digest();
  return { credentialBlob: sized16(sized16(hmac), identity), encryptedSecret };
}

function protectionOf(ekPublic: KeyObject | TpmPublic): Protection {
  if (ekPublic instanceof KeyObject) return templateOf(ekPublic);
  const { symmetric, nameAlgorithm: hash } = ekPublic;
  if (symmetric === undefined) throw new AshlarError("invalid", "EK: expected a storage key, found one without cipher");
  const key = keyObjectOf(ekPublic);
  templateOf(key);
  return { key, hash, cipherKeyBytes: symmetric.keyBits / 8 };
}

/** Also refuses the kinds of keys that no EK here has. */
function templateOf(key: KeyObject): Protection {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.type === "public") {
    if (key.asymmetricKeyType === "rsa" && modulusLength === 2048) return { key, hash: "sha256", cipherKeyBytes: 16 };
    if (key.asymmetricKeyType === "rsa" && modulusLength === 3072) return { key, hash: "sha384", cipherKeyBytes: 32 };
    if (namedCurve === "prime256v1") return { key, hash: "sha256", cipherKeyBytes: 16 };
    if (namedCurve === "secp384r1") return { key, hash: "sha384", cipherKeyBytes: 32 };
    if (namedCurve === "secp521r1") return { key, hash: "sha512", cipherKeyBytes: 32 };
  }
  throw new AshlarError(
    "invalid",
    `EK: expected a public RSA-2048, RSA-3072, P-256, P-384 or P-521 key, found ${key.type} ` +
      `${key.asymmetricKeyType} ${modulusLength ?? namedCurve ?? ""}`,
  );
}

/** Part 1, B.10: a random seed, encrypted by OAEP with the label and its NUL. */
function rsaSeed({ key, hash }: Protection, random: CredentialRequest["random"]): Seed {
  const seed = random(hashSizeBytes(hash));
  const label = Buffer.from(`${LABEL}\0`, "ascii");
  return { seed, encryptedSecret: sized16(encryptOaep(key, hash, label, seed, random(hashSizeBytes(hash)))) };
}

/** Part 1, C.6: the seed comes from an ephemeral key and the EK; the ephemeral point is what is sent. */
function eccSeed({ key, hash }: Protection, random: CredentialRequest["random"]): Seed {
  const { namedCurve } = key.asymmetricKeyDetails ?? {};
  const sizeBytes = CURVES.get(namedCurve);
  if (namedCurve === undefined || sizeBytes === undefined) throw new TypeError(`no such EK curve: ${namedCurve}`);
  const ephemeral = ephemeralKey(namedCurve, () => {
    const scalar = Buffer.from(random(sizeBytes));
    scalar[0] = (scalar[0] ?? 0) & (HIGHEST_BYTE.get(namedCurve) ?? 0xff);
    return scalar;
  });
  const ekPoint = key.export({ format: "raw-public" });
  const shared = ephemeral.computeSecret(ekPoint);
  const ownPoint = ephemeral.getPublicKey();
  const x = ownPoint.subarray(1, 1 + sizeBytes);
  const y = ownPoint.subarray(1 + sizeBytes);
  const seed = deriveByHash(hash, shared, LABEL, x, ekPoint.subarray(1, 1 + sizeBytes));
  return { seed, encryptedSecret: sized16(sized16(x), sized16(y)) };
}

function ephemeralKey(curve: string, randomScalar: () => Uint8Array): ECDH {
  const ephemeral = createECDH(curve);
  for (let attempt = 1; ; attempt++) {
    try {
      ephemeral.setPrivateKey(randomScalar());
      return ephemeral;
    } catch (error) {
      if (attempt === EPHEMERAL_KEY_ATTEMPTS) throw error;
    }
  }
}

/** The TPM's TPM2B form: a u16 size, then the parts. */
function sized16(...parts: readonly Uint8Array[]): Uint8Array {
  const size = new Uint8Array(2);
  new DataView(size.buffer).setUint16(
    0,
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  return Buffer.concat([size, ...parts]);
}
