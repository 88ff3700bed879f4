/** For tests: sigstore's own verifier of DSSE envelopes. No code of ours takes part in it. */
import type { KeyObject } from "node:crypto";
import { envelopeFromJSON } from "@sigstore/bundle";
import { toSignedEntity, Verifier, type TrustMaterial } from "@sigstore/verify";

/** Reads the file as it is, with our members beside those of the envelope, and checks its first signature. */
export function verifyAsSigstore(text: string, publicKey: KeyObject): void {
  const dsseEnvelope = envelopeFromJSON(JSON.parse(text));
  const trusted: TrustMaterial = {
    certificateAuthorities: [],
    timestampAuthorities: [],
    tlogs: [],
    ctlogs: [],
    publicKey: () => ({ publicKey, validFor: () => true }),
  };
  const verifier = new Verifier(trusted, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
  const material = { content: { $case: "publicKey", publicKey: { hint: "" } }, tlogEntries: [] } as const;
  verifier.verify(
    toSignedEntity({
      mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
      content: { $case: "dsseEnvelope", dsseEnvelope },
      verificationMaterial: { ...material, tlogEntries: [], timestampVerificationData: undefined },
    }),
  );
}
