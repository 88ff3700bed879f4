import { createPublicKey, type KeyObject } from "node:crypto";
import { AshlarError, messageOf } from "@ashlar/base";
import { digestOf, hashIdOf } from "./hash-algorithm.ts";
import type { TpmPublic } from "./public.ts";

/** The object's name: nameAlg, then H(TPMT_PUBLIC) (TPM 2.0 Library Part 1, 16). */
export function nameOf(tpmPublic: TpmPublic): Uint8Array {
  const algorithm = new Uint8Array(2);
  new DataView(algorithm.buffer).setUint16(0, hashIdOf(tpmPublic.nameAlgorithm));
  return Buffer.concat([algorithm, digestOf(tpmPublic.nameAlgorithm, tpmPublic.area)]);
}

/**
 * The key by itself, for node:crypto: without name, attributes and scheme.
 *
 * @throws AshlarError `invalid` when the numbers are no key (a point that is not on its curve).
 */
export function keyObjectOf(tpmPublic: TpmPublic): KeyObject {
  if (last !== undefined && Buffer.compare(last.area, tpmPublic.area) === 0) return last.key;
  try {
    const key = createPublicKey({ format: "jwk", key: jsonWebKeyOf(tpmPublic) });
    last = { area: Uint8Array.from(tpmPublic.area), key };
    return key;
  } catch (error) {
    throw new AshlarError(
      "invalid",
      `TPMT_PUBLIC: expected an ${tpmPublic.type.toUpperCase()} key: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** A node's two quotes are checked one after the other, with a key that takes a third of the time of a signature to make. */
let last: { readonly area: Uint8Array; readonly key: KeyObject } | undefined;

function jsonWebKeyOf(tpmPublic: TpmPublic): Record<string, string> {
  if (tpmPublic.type === "ecc") {
    return { kty: "EC", crv: tpmPublic.curve, x: base64Url(tpmPublic.x), y: base64Url(tpmPublic.y) };
  }
  const exponent = new Uint8Array(4);
  new DataView(exponent.buffer).setUint32(0, tpmPublic.exponent);
  return { kty: "RSA", n: base64Url(tpmPublic.modulus), e: base64Url(exponent) };
}

function base64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64url");
}
