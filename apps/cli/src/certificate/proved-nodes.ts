import type { ProvedNode, Running } from "@ashlar/fleet";
import type { NamedVerdict } from "@ashlar/identity";

/** What of a node's evidence a certificate says beside the verdict. */
export type Seen = { readonly challengedAtMs?: number | undefined; readonly evidence?: string | undefined };

/** A verdict as a certificate has it. */
export function provedNode(verdict: NamedVerdict, policy: number, { challengedAtMs, evidence }: Seen): ProvedNode {
  const { name, level, nextBoot, differences } = verdict;
  const all = [...differences, ...(nextBoot?.differences ?? [])].map(({ code }) => code);
  return {
    name,
    level,
    nextBoot: nextBoot?.level ?? null,
    running: runningOf(verdict),
    policy,
    challengedAt: challengedAtMs === undefined ? null : new Date(challengedAtMs).toISOString(),
    evidence: evidence ?? null,
    differences: [...new Set(all)],
  };
}

export function runningOf({ identity, release, config, extensions }: NamedVerdict): Running {
  const merged = extensions.map(({ kind, name, version, rootHash }) => ({ kind, name, version, rootHash }));
  return { identity, release, config, extensions: merged };
}
