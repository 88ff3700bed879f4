import { timingSafeEqual, type KeyObject } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { keyObjectOf, makeCredential, nameOf, parsePublic, type TpmPublic } from "@ashlar/formats";
import type { ActivateRequest } from "@ashlar/protocol";
import { checkAttestationKey, ekSha256Of, nameOfKey, type PinnedKeys } from "./check-keys.ts";
import type { Difference } from "./difference.ts";
import { ekKeyOf, parseCertificate } from "./maker-certificate.ts";
import { checkVouching, type TpmTrust } from "./vouching.ts";
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
  trust: TpmTrust,
  now: Date,
  random: (sizeBytes: number) => Uint8Array,
): EnrolmentChallenge {
  const { ak, pinned } = checkKeys(keys, trust, now);
  const ekPublic = ekOf(keys);
  const secret = random(SECRET_BYTES);
  const { credentialBlob, encryptedSecret } = makeCredential({ ekPublic, name: nameOf(ak), secret, random });
  return {
    request: { credentialBlob: base64(credentialBlob), encryptedSecret: base64(encryptedSecret) },
    secret,
    keys: pinned,
  };
}

/**
 * The keys to pin of a node whose attestation key a cloud has certified. There is nothing to challenge: that the key is in a TPM
 * is what the certificate says, and that the node has it, its next quote.
 *
 * @throws AshlarError `untrusted` when the key is not what it has to be, or the certificate is another key's or no trusted
 *   cloud's
 */
export function enrolCertifiedKey(keys: Keys, trust: TpmTrust, now: Date): PinnedKeys {
  return checkKeys(keys, trust, now).pinned;
}

function checkKeys(keys: Keys, trust: TpmTrust, now: Date): { readonly ak: TpmPublic; readonly pinned: PinnedKeys } {
  const differences: Difference[] = [];
  const { ekIntermediates = [] } = keys;
  const ak = checkAttestationKey(keys.ak, keys.akCertificate !== undefined, differences);
  checkVouching(ak, keys, trust, now, ekIntermediates, differences);
  refuse(differences);
  if (ak === undefined) throw new TypeError("an attestation key without difference is a key");
  const pinned = {
    ekSha256: ekSha256Of(ak, keys),
    akName: nameOfKey(ak),
    ...(ekIntermediates.length === 0 ? {} : { ekIntermediates: ekIntermediates.map(base64) }),
  };
  return { ak, pinned };
}

/**
 * The key that the secret is encrypted for. Only a certificate's own key is used where there is one: what else the node
 * says about its EK cannot weaken the challenge. Without one nobody vouches for the key, and the node is never proven.
 */
function ekOf({ ekCertificate, ekPublic }: Keys): KeyObject | TpmPublic {
  if (ekPublic === undefined) throw new AshlarError("untrusted", "enrolment: expected an EK, found none");
  const claimed = parsePublic(ekPublic);
  if (ekCertificate === undefined) return claimed;
  const certified = ekKeyOf(parseCertificate(ekCertificate, "EK certificate"));
  if (certified.equals(keyObjectOf(claimed))) return certified;
  throw new AshlarError("untrusted", "enrolment: expected the EK of the certificate, found another EK");
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
