import { timingSafeEqual } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { keyObjectOf, makeCredential, nameOf, parsePublic } from "@ashlar/formats";
import type { ActivateRequest } from "@ashlar/protocol";
import { checkAttestationKey, checkEkCertificate, nameOfKey, type PinnedKeys } from "./check-keys.ts";
import type { Difference } from "./difference.ts";
import { certificateSha256, parseCertificate, type EkRoots } from "./ek-chain.ts";
import { ekKeyOf } from "./maker-certificate.ts";
import type { Keys } from "@ashlar/protocol/answers";

/** One try to enrol a node: what is sent to it, and what only its TPM can answer. */
export type EnrolmentChallenge = {
  readonly request: ActivateRequest;
  readonly secret: Uint8Array;
  readonly keys: PinnedKeys;
};

const SECRET_BYTES = 32;

/**
 * Prepares to find out whether a node's attestation key lives in the TPM whose EK certificate it shows: a secret that
 * TPM2_ActivateCredential gives back only where both keys are (TPM 2.0 Library Part 1, 24).
 *
 * @param random the source of randomness
 * @throws AshlarError `untrusted` when a key is not what it has to be, or no trusted maker issued the EK's certificate
 */
export function prepareEnrolment(
  keys: Keys,
  ekRoots: EkRoots | undefined,
  now: Date,
  random: (sizeBytes: number) => Uint8Array,
): EnrolmentChallenge {
  const differences: Difference[] = [];
  if (ekRoots !== undefined) checkEkCertificate(keys.ekCertificate, ekRoots, now, differences);
  const ak = checkAttestationKey(keys.ak, differences);
  refuse(differences);
  if (ak === undefined) throw new TypeError("an attestation key without difference is a key");
  // Only the certificate's own key is used: what else the node says about its EK cannot weaken the challenge.
  const ekKey = ekKeyOf(parseCertificate(keys.ekCertificate, "EK certificate"));
  if (!ekKey.equals(keyObjectOf(parsePublic(keys.ekPublic)))) {
    throw new AshlarError("untrusted", "enrolment: expected the EK of the certificate, found another EK");
  }
  const secret = random(SECRET_BYTES);
  const { credentialBlob, encryptedSecret } = makeCredential({ ekPublic: ekKey, name: nameOf(ak), secret, random });
  return {
    request: { credentialBlob: base64(credentialBlob), encryptedSecret: base64(encryptedSecret) },
    secret,
    keys: { ekSha256: certificateSha256(keys.ekCertificate), akName: nameOfKey(ak) },
  };
}

/**
 * The keys to pin, when the node's TPM gave the secret back.
 *
 * @throws AshlarError `untrusted` when it did not
 */
export function finishEnrolment({ secret, keys }: EnrolmentChallenge, answer: Uint8Array): PinnedKeys {
  if (answer.length !== secret.length || !timingSafeEqual(answer, secret)) {
    throw new AshlarError("untrusted", "enrolment: expected the challenge's secret, found other bytes", {
      hint: "the attestation key is not in the TPM that the EK certificate belongs to",
    });
  }
  return keys;
}

function refuse([first]: readonly Difference[]): void {
  if (first === undefined) return;
  throw new AshlarError("untrusted", `enrolment: ${first.what}: expected ${first.expected}, found ${first.found}`);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
