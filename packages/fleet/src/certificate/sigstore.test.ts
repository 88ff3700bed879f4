/** What sigstore's own verifier says about a certificate: no code of ours takes part in it. */
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { test } from "node:test";
import { signerOf } from "@ashlar/statements";
import { verifyAsSigstore } from "@ashlar/statements/test-sigstore";
import { makeCertificate, makeNodeCertificate } from "./make.ts";
import { parseCertificate } from "./document.ts";

const POLICY = { ekRoots: null, cloudRoots: null, acceptExpiredEk: false, vouchedBy: null, firmwarePolicy: null };
const RUNNING = { identity: null, release: null, config: null, extensions: [] };

function certificateBy(keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }): string {
  const node = { name: "n", level: "unknown", nextBoot: null, running: RUNNING, policy: 0 } as const;
  return makeCertificate(
    {
      nodes: [{ ...node, challengedAt: null, evidence: null, differences: ["agent-answer"] }],
      verdict: "unknown",
      fleet: null,
      policies: [{ ...POLICY, maxAgeSeconds: 60 }],
      challenge: null,
      verifier: "ashlar",
      issuedAtMs: 0,
      validForMs: 1000,
    },
    signerOf(keys),
    () => Buffer.alloc(16),
  );
}

test("sigstore's verifier takes the file as it is, and refuses a changed one and another key", () => {
  for (const keys of [generateKeyPairSync("ed25519"), generateKeyPairSync("ec", { namedCurve: "P-256" })]) {
    const text = certificateBy(keys);
    verifyAsSigstore(text, keys.publicKey);
    const certificate = parseCertificate(text);
    assert.ok(certificate.kind === "fleet");
    verifyAsSigstore(makeNodeCertificate(certificate, "n"), keys.publicKey);
    const written: { payload: string } = JSON.parse(text);
    const payload = Buffer.concat([Buffer.from(written.payload, "base64"), Buffer.from(" ")]);
    const changed = { ...written, payload: payload.toString("base64") };
    assert.throws(() => verifyAsSigstore(JSON.stringify(changed), keys.publicKey), /signature verification failed/u);
    assert.throws(
      () => verifyAsSigstore(text, generateKeyPairSync("ed25519").publicKey),
      /signature verification failed/u,
    );
  }
});
