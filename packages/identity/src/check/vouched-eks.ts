import type { KeyObject } from "node:crypto";
import { keyObjectOf, parsePublic, sha256 } from "@ashlar/formats";
import { AshlarError } from "@ashlar/base";

/** Endorsement keys that their owner vouches for, where no maker does. */
export type VouchedEks = {
  /** The owner's key. */
  readonly by: string;
  /** Names of the keys, by the SHA-256 of each one's SubjectPublicKeyInfo in hexadecimal. */
  readonly names: ReadonlyMap<string, string>;
};

/** By which a key is on the list: SHA-256 of its SubjectPublicKeyInfo, in hexadecimal. */
export function ekDigestOf(key: KeyObject): string {
  return sha256(key.export({ type: "spki", format: "der" }));
}

/** What the verdict says of an EK that the owner vouches for; undefined for any other. */
export function noteVouched(ekPublic: Uint8Array | undefined, vouched: VouchedEks | undefined): string | undefined {
  if (ekPublic === undefined || vouched === undefined) return undefined;
  try {
    const name = vouched.names.get(ekDigestOf(keyObjectOf(parsePublic(ekPublic))));
    return name === undefined ? undefined : `EK vouched for by ${vouched.by} (${name})`;
  } catch (error) {
    if (error instanceof AshlarError) return undefined;
    throw error;
  }
}
