import { alignColumns } from "@ashlar/host/terminal";
import type { Certificate, ChangedNode, Comparison, NodeRecord, Predicate, Running } from "@ashlar/fleet";

const SHOWN_DIGITS = 12;
const TITLES = ["NODE", "LEVEL", "NEXT BOOT", "RELEASE", "IDENTITY", "CHALLENGED", "DIFFERENCES"];

/** What a certificate says of all nodes. */
export function predicateLines(predicate: Predicate): string[] {
  const { tree, levels, identities, issuedAt, expiresAt, fleet, challenge, policies, verifier } = predicate;
  const counted = Object.entries(levels).filter(([, count]) => count > 0);
  const all = counted.map(([level, count]) => `${count} ${level}`).join(", ") || "none";
  return [
    `verdict ${predicate.verdict}: ${tree.size} ${tree.size === 1 ? "node" : "nodes"}, ${all}`,
    ...identities.map(
      ({ identity, release, nodes }) => `identity ${identity} release ${release ?? "unknown"}: ${nodes}`,
    ),
    `issued ${issuedAt}, expires ${expiresAt}, by ${verifier}`,
    fleet === null ? "no fleet file" : `fleet ${fleet.name} sha256 ${fleet.sha256}`,
    challenge === null ? "no challenge: nonces were random" : `challenge ${JSON.stringify(challenge)}`,
    ...policies.map((policy, index) => `policy ${index}: ${describePolicy(policy)}`),
    `tree root ${tree.root}`,
  ];
}

function describePolicy(policy: Predicate["policies"][number]): string {
  const { ekRoots, cloudRoots, acceptExpiredEk, vouchedBy, firmwarePolicy, maxAgeSeconds } = policy;
  return [
    ekRoots === null ? "no trusted makers" : `makers ${ekRoots.count} certificates sha256 ${ekRoots.sha256}`,
    ...(cloudRoots === null ? [] : [`clouds ${cloudRoots.count} certificates sha256 ${cloudRoots.sha256}`]),
    ...(acceptExpiredEk ? ["makers' certificates may have expired"] : []),
    ...(vouchedBy === null ? [] : [`EKs vouched for by ${vouchedBy}`]),
    ...(firmwarePolicy === null ? [] : [`firmware policy sha256 ${firmwarePolicy}`]),
    `evidence of at most ${maxAgeSeconds} s`,
  ].join("; ");
}

/** One line for each node. */
export function nodeLines(certificate: Certificate): string[] {
  const nodes = certificate.kind === "fleet" ? certificate.nodes : [certificate.node];
  const rows = nodes.map((node) => rowOf(node, certificate.running.get(node.runs)));
  return alignColumns([TITLES, ...rows]).map((row) => row.join("  ").trimEnd());
}

function rowOf(
  { name, level, nextBoot, challengedAt, differences }: NodeRecord,
  running: Running | undefined,
): string[] {
  return [
    name,
    level,
    nextBoot ?? "-",
    running?.release ?? "-",
    running?.identity?.slice(0, SHOWN_DIGITS) ?? "-",
    challengedAt ?? "-",
    differences.join(",") || "-",
  ];
}

export function comparisonLines({ joined, left, changed, same }: Comparison): string[] {
  return [
    ...joined.map((name) => `joined   ${name}`),
    ...left.map((name) => `left     ${name}`),
    ...changed.flatMap(({ name, changes }) => changes.map((change) => `changed  ${name}: ${changeText(change)}`)),
    comparisonSummary({ joined, left, changed, same }),
  ];
}

export function comparisonSummary({ joined, left, changed, same }: Comparison): string {
  return `${joined.length} joined, ${left.length} left, ${changed.length} changed, ${same} the same`;
}

export function changeText({ what, subject, before, after }: ChangedNode["changes"][number]): string {
  const which = subject === undefined ? what : `${what} ${subject}`;
  return `${which}: ${shorten(before)} -> ${shorten(after)}`;
}

function shorten(text: string): string {
  return text.replaceAll(/[0-9a-f]{64}/gu, (digest) => `${digest.slice(0, SHOWN_DIGITS)}...`);
}
