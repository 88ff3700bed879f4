import { randomBytes } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import type { CertificateInput } from "@ashlar/fleet";
import type { Signer } from "@ashlar/statements";
import type { SeenAnswer, StoredAnswer } from "@ashlar/verifier";
import { ownVersion } from "../own-version.ts";
import { proveFrom } from "../prove/prove-from.ts";
import { proveLive } from "../prove/prove-live.ts";
import type { Proof, ProveOptions } from "../prove/prove-options.ts";
import { provedNode, type Seen } from "./proved-nodes.ts";
import { trustPolicyOf } from "./trust-policy.ts";

export type Certified = { readonly proof: Proof; readonly text: string };

/** Proves nodes, live or from kept evidence, and signs what was found, whatever it is. */
export async function certify(options: ProveOptions, signer: Signer, validForMs: number): Promise<Certified> {
  const { digestOfAnswer, digestOfStoredAnswer, openEvidence } = await import("@ashlar/verifier");
  const { makeCertificate, SALT_BYTES } = await import("@ashlar/fleet");
  const { challengedNonce } = await import("@ashlar/protocol");
  const { from, challenge } = options;
  const fleet = await fleetOf(options);
  const seen = new Map<string, Seen>();
  const otherNonce: string[] = [];
  const onSeen = (name: string, { nonce, challengedAtMs, digest }: SeenAnswer): void => {
    if (challenge !== undefined && !challengedNonce(challenge, name).equals(nonce)) otherNonce.push(name);
    seen.set(name, { challengedAtMs, evidence: digest });
  };
  const onAnswer = (name: string, answer: StoredAnswer): void =>
    onSeen(name, { ...answer, digest: digestOfAnswer(answer) });
  const startedMs = Date.now();
  const proof = await (from === undefined
    ? proveLive(options, onAnswer)
    : proveFrom(from, options, { onSeen, tell: { digest: true } }, startedMs));
  const [name] = otherNonce;
  if (name !== undefined) {
    throw new AshlarError(
      "untrusted",
      `expected evidence with the nonces of this challenge, found others, of ${name} first`,
      {
        hint: "ask the nodes: the challenge has to be there before their evidence is",
      },
    );
  }
  if (from !== undefined) {
    // What cannot be judged has a digest all the same.
    using evidence = await openEvidence(from);
    for (const node of proof.fleet.nodes.filter(({ name: each }) => seen.get(each)?.evidence === undefined)) {
      const digest = digestOfStoredAnswer(evidence.place, node.name);
      seen.set(node.name, { ...seen.get(node.name), evidence: digest });
    }
  }
  const policies = [...new Set([proof.trusts.common, ...proof.trusts.of.values()])];
  const policyOf = (node: string): number => policies.indexOf(proof.trusts.of.get(node) ?? proof.trusts.common);
  const input: CertificateInput = {
    nodes: proof.fleet.nodes.map((node) => provedNode(node, policyOf(node.name), seen.get(node.name) ?? {})),
    verdict: proof.fleet.verdict,
    fleet,
    policies: await Promise.all(policies.map(async (trust) => trustPolicyOf(trust, options))),
    challenge: challenge ?? null,
    verifier: `ashlar ${ownVersion()}`,
    // Live evidence is younger than the start. What is judged again for this moment has the same verdicts.
    issuedAtMs: from === undefined ? Date.now() : startedMs,
    validForMs,
  };
  return { proof, text: makeCertificate(input, signer, () => randomBytes(SALT_BYTES)) };
}

async function fleetOf({ fleet }: ProveOptions): Promise<CertificateInput["fleet"]> {
  if (fleet === undefined) return null;
  const { readFleet } = await import("../fleet/read-fleet.ts");
  const { name, sha256 } = await readFleet(fleet);
  return { name, sha256 };
}
