import { firstOf } from "@ashlar/base";
import type { Difference } from "../check/difference.ts";
import {
  FLEET_VERDICT_SCHEMA,
  type FleetVerdict,
  type Level,
  type NamedVerdict,
  type NodeVerdict,
} from "../verdict.ts";
import type { QuotingTpm, Verification } from "../verify-evidence.ts";

export type FleetMember = { readonly name: string } & Pick<Verification, "verdict" | "tpm">;

/** One verdict over all nodes. A TPM stands for one machine: nodes that answer with the same one are all refused. */
export function judgeFleet(members: readonly FleetMember[]): FleetVerdict {
  const namesByKey = Map.groupBy(
    members.flatMap(({ name, tpm }) => keysOf(tpm).map((key) => ({ name, key }))),
    ({ key }) => key,
  );
  const nodes = members.map(({ name, verdict, tpm }): NamedVerdict => {
    const sharing = keysOf(tpm).map((key) => namesByKey.get(key) ?? []);
    const shared = sharing.find((names) => names.length > 1);
    return { name, ...refuseNameless(shared === undefined ? verdict : refuseShared(verdict, shared)) };
  });
  const levels = new Set(nodes.flatMap((node) => [node.level, nextLevelOf(node)]));
  const identities = new Set(nodes.flatMap(({ identity }) => identity ?? []));
  return { schema: FLEET_VERDICT_SCHEMA, verdict: overall(levels), identities: identities.size, nodes };
}

/** How many different values the nodes are is counted by their identities: a node that is proven has one, always. */
function refuseNameless(verdict: NodeVerdict): NodeVerdict {
  if (verdict.level !== "proven" || verdict.identity !== null) return verdict;
  const difference: Difference = {
    code: "identity",
    what: "identity",
    expected: "one that the evidence proves",
    found: "none",
  };
  return { ...verdict, level: "mismatch", differences: [difference] };
}

/**
 * One TPM can make two attestation keys, and so pose as two machines: its EK certificate counts, too. It may even have two
 * of those (RSA and ECC): what both quote is one boot, in which one machine ID was measured.
 */
function keysOf(tpm: QuotingTpm | undefined): string[] {
  if (tpm === undefined) return [];
  return [tpm.akName, tpm.ekSha256, ...(tpm.machineId === undefined ? [] : [`machine-id:${tpm.machineId}`])];
}

/** A node whose TPM belongs to another one, by what was pinned. */
export function refusePinned(verification: Verification, other: string): Verification {
  const found = `the TPM or the machine ID that is pinned for ${other} (renamed? ashlar prove --enrol-again with both names)`;
  const { verdict } = verification;
  const difference: Difference = { code: "tpm-shared", what: "TPM", expected: "one for each node", found };
  const differences = [difference, ...verdict.differences];
  return { ...verification, verdict: { ...verdict, level: "mismatch", differences } };
}

function refuseShared(verdict: NodeVerdict, sharing: readonly { readonly name: string }[]): NodeVerdict {
  const names = sharing.map(({ name }) => name);
  const found = `one TPM answers for ${firstOf(names, MAX_SHOWN_NAMES)}`;
  const difference: Difference = { code: "tpm-shared", what: "TPM", expected: "one for each node", found };
  return { ...verdict, level: "mismatch", differences: [difference, ...verdict.differences] };
}

const MAX_SHOWN_NAMES = 4;

/** No nodes prove nothing. What a node will not say about its next boot counts like what it will not say about itself. */
function overall(levels: ReadonlySet<Level>): FleetVerdict["verdict"] {
  if (levels.has("mismatch")) return "mismatch";
  return levels.size === 1 && levels.has("proven") ? "proven" : "unknown";
}

/** One line for people: "2 nodes, 1 identity: all proven", or "...: all proven; next boot: 1 mismatch". */
export function summaryOf({ nodes, identities }: FleetVerdict): string {
  const nodeCount = `${nodes.length} ${nodes.length === 1 ? "node" : "nodes"}`;
  const [first, ...others] = countLevels(nodes.map(({ level }) => level));
  const levels =
    first === undefined
      ? "nothing to prove"
      : others.length === 0
        ? `all ${first.level}`
        : [first, ...others].map(({ level, count }) => `${count} ${level}`).join(", ");
  // What the levels of the nodes do not say already.
  const next = nodes.flatMap((node) => (isWorse(nextLevelOf(node), node.level) ? [nextLevelOf(node)] : []));
  const nextBoot = countLevels(next).map(({ level, count }) => `${count} ${level}`);
  const more = nextBoot.length === 0 ? "" : `; next boot: ${nextBoot.join(", ")}`;
  return `${nodeCount}, ${identities} ${identities === 1 ? "identity" : "identities"}: ${levels}${more}`;
}

const WORST_FIRST = ["mismatch", "unknown", "reported", "proven"] as const satisfies readonly Level[];

function countLevels(levels: readonly Level[]): { readonly level: Level; readonly count: number }[] {
  return WORST_FIRST.map((level) => ({ level, count: levels.filter((each) => each === level).length })).filter(
    ({ count }) => count > 0,
  );
}

function isWorse(level: Level, than: Level): boolean {
  return WORST_FIRST.indexOf(level) < WORST_FIRST.indexOf(than);
}

/** Nobody knows what boots next where nobody has answered. */
function nextLevelOf({ nextBoot }: NodeVerdict): Level {
  return nextBoot?.level ?? "unknown";
}

/** One line about a node: "running 1.0.0 proven, next boot 1.1.0 proven, fallback 1.0.0 intact". */
export function describeNode({ level, release, nextBoot }: NodeVerdict): string {
  const parts = [release === null ? level : `running ${release} ${level}`];
  if (nextBoot !== null) parts.push(["next boot", nextBoot.release ?? [], nextBoot.level].flat().join(" "));
  if (nextBoot?.fallback) parts.push(`fallback ${nextBoot.fallback.release} ${nextBoot.fallback.state}`);
  return parts.join(", ");
}
