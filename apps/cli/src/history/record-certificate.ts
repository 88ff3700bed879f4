import type { KeyObject } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { checkCertificate, parseCertificate } from "@ashlar/fleet";
import type { Signer } from "@ashlar/statements";
import { appendCertificate, type Appended } from "@ashlar/verifier";

export type RecordOptions = {
  readonly log: string;
  readonly origin?: string;
  /** Of the certificate, for messages. */
  readonly path: string;
  readonly text: string;
  readonly signer: Signer;
  readonly certificateKey: KeyObject;
};

/** Adds a certificate that holds to a log. @throws AshlarError `untrusted` for one that does not, and what appending throws */
export async function recordCertificate(options: RecordOptions): Promise<Appended> {
  const { log, origin, path, text, signer, certificateKey } = options;
  const certificate = parseCertificate(text);
  if (certificate.kind === "node") {
    throw new AshlarError("invalid", `${path}: expected a certificate of a fleet, found a proof for one node`);
  }
  const nowMs = Date.now();
  const { predicate, refusals } = checkCertificate(certificate, { publicKey: certificateKey, nowMs });
  // One that was forgotten for a while still says what was so then.
  const refusal = refusals.find(({ code }) => code !== "expired");
  if (predicate === undefined || refusal !== undefined) {
    throw new AshlarError("untrusted", `${path}: ${refusal?.code ?? "statement"}: ${refusal?.message ?? "none"}`);
  }
  return await appendCertificate({ directory: log, origin, signer, text, predicate, nowMs });
}
