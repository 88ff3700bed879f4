import { canonicalJson } from "@ashlar/base";
import type { Certificate, Predicate, Refusal } from "@ashlar/fleet";
import { proveFrom } from "../prove/prove-from.ts";
import type { ProveOptions } from "../prove/prove-options.ts";
import { provedNode } from "./proved-nodes.ts";
import { trustPolicyOf } from "./trust-policy.ts";

/** What judging again is told beside the evidence. */
export type EvidenceOptions = Pick<
  ProveOptions,
  "ekRoots" | "cloudRoots" | "certifyEk" | "certifyKey" | "firmwarePolicy"
>;

/**
 * Compares a certificate with the evidence that it is over: digests, nonces, and what that evidence says when it is judged
 * again here, for the moment at which the certificate was issued.
 */
export async function checkEvidence(
  certificate: Certificate,
  predicate: Predicate,
  directory: string,
  options: EvidenceOptions,
): Promise<Refusal[]> {
  const nodes = certificate.kind === "fleet" ? certificate.nodes : [certificate.node];
  const changed = await compareDigests(nodes, directory);
  if (changed.length > 0) return changed;
  const { challengedNonce } = await import("@ashlar/protocol");
  const [policy, other] = predicate.policies;
  if (policy === undefined || other !== undefined)
    return [{ code: "evidence-policy", message: "expected one trust policy, by which evidence can be judged again" }];
  const refusals: Refusal[] = [];
  const { challenge } = predicate;
  const names = new Set(nodes.map(({ name }) => name));
  const proof = await proveFrom(
    directory,
    { ...options, ...(policy.acceptExpiredEk ? { acceptExpiredEk: true } : {}), maxAge: policy.maxAgeSeconds },
    {
      onSeen: (name, { nonce }) => {
        if (challenge === null || !names.has(name) || challengedNonce(challenge, name).equals(nonce)) return;
        const message = `${name}: expected evidence with the nonce that follows from the challenge, found another one`;
        refusals.push({ code: "evidence-nonce", message });
      },
    },
    Date.parse(predicate.issuedAt),
  );
  const own = await trustPolicyOf(proof.trusts.common, { ...options, maxAge: policy.maxAgeSeconds });
  // Whom the reader trusts instead is no fault of the certificate: only the verdict counts then.
  const stated = {
    ...policy,
    ...(options.ekRoots === undefined ? {} : { ekRoots: own.ekRoots }),
    ...(options.cloudRoots === undefined ? {} : { cloudRoots: own.cloudRoots }),
  };
  if (canonicalJson(own) !== canonicalJson(stated)) {
    const message = "expected to judge the evidence by the certificate's trust policy, found another one here";
    refusals.push({ code: "evidence-policy", message });
  }
  const judged = new Map(proof.fleet.nodes.map((node) => [node.name, provedNode(node, 0, {})]));
  for (const { name, level, nextBoot, runs } of nodes) {
    const found = judged.get(name);
    const running = certificate.running.get(runs);
    const isSame =
      found !== undefined &&
      running !== undefined &&
      found.level === level &&
      found.nextBoot === nextBoot &&
      canonicalJson(found.running) === canonicalJson(running);
    if (isSame) continue;
    const message = `${name}: expected evidence that is ${level}, found ${found?.level ?? "none"}, or something else that runs`;
    refusals.push({ code: "evidence-verdict", message });
  }
  return refusals;
}

async function compareDigests(
  nodes: readonly { readonly name: string; readonly evidence: string | null }[],
  directory: string,
): Promise<Refusal[]> {
  const { digestOfStoredAnswer, openEvidence } = await import("@ashlar/verifier");
  using opened = await openEvidence(directory);
  const refusals: Refusal[] = [];
  for (const { name, evidence } of nodes) {
    if (evidence === null) continue;
    const found = digestOfStoredAnswer(opened.place, name);
    if (found === evidence) continue;
    const message = `${name}: expected evidence with the digest ${evidence}, found ${found ?? "none"}`;
    refusals.push({ code: found === undefined ? "evidence-missing" : "evidence-changed", message });
  }
  return refusals;
}
