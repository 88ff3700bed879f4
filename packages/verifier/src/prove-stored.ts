import { setImmediate as turn } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import { judgeAge, judgeFleet, KnownReadings } from "@ashlar/identity";
import { unanswered } from "./judge-answer.ts";
import type { FleetProof } from "./prove-nodes.ts";
import {
  judgeStored,
  type JudgedNode,
  type JudgeStoredOptions,
  type SeenAnswer,
  type StoredJudging,
} from "./stored/judge-stored.ts";
import type { EvidencePlace } from "./stored/place.ts";
import { VerdictCache, type Remember } from "./stored/verdict-cache.ts";
import { JudgingThreads } from "./stored/judging-threads.ts";

export type ProveStoredOptions = JudgeStoredOptions & {
  /** When it is judged: milliseconds since 1970. Default: now. */
  readonly nowMs?: number;
  /** Nodes whose answers are there although the evidence does not name them among its own. */
  readonly strangers?: readonly string[];
  /** Called for each node whose answer could be read, in their order. */
  readonly onSeen?: (name: string, seen: SeenAnswer) => void;
  /** Default: as many as there are processors, where there are many nodes. With `onAnswer` always one. */
  readonly threads?: number;
  /** Where verdicts on an archive's nodes are kept for the next time. Default: nowhere. */
  readonly remember?: Remember | undefined;
};

/** Read and judged before anything else has its turn. */
const NODES_AT_ONCE = 32;

/**
 * Judges stored evidence again, a few nodes at a time, so that memory does not grow with their number but for the
 * verdicts. Whoever can write there decides what is in it: it is the verifier's own record.
 */
export async function proveStored(
  place: EvidencePlace,
  names: readonly string[],
  { onSeen, strangers = [], nowMs = Date.now(), threads, remember, ...options }: ProveStoredOptions,
): Promise<Omit<FleetProof, "peers">> {
  const cache = openCache(place, options, remember);
  const tell = cache === undefined ? options.tell : { ...options.tell, entries: true as const };
  const judging = { place, nowMs, options: { ...options, ...(tell === undefined ? {} : { tell }) } };
  const remembered = cache === undefined ? new Map<string, JudgedNode>() : findRemembered(cache, names, judging);
  const missing = names.filter((name) => !remembered.has(name));
  const anew = await judgeAll(missing, judging, threads);
  const all = new Map([...remembered, ...anew.map((node) => [node.name, node] as const)]);
  const judged = names.flatMap((name) => all.get(name) ?? []);
  if (missing.length > 0) cache?.replace(judged.filter((node) => isFresh(node, judging)));
  for (const { name, seen } of judged) if (seen !== undefined) onSeen?.(name, seen);
  const agesMs = new Map(judged.flatMap(({ name, ageMs }) => (ageMs === undefined ? [] : [[name, ageMs]])));
  const unknown = strangers.map((name) => {
    const found = "an answer of a node that fleet.json does not name";
    return { name, ...unanswered("mismatch", "stored-evidence", "stored evidence", found) };
  });
  return { fleet: judgeFleet([...judged, ...unknown]), agesMs };
}

type Judging = Omit<StoredJudging, "readings">;

async function judgeAll(names: readonly string[], judging: Judging, threads?: number): Promise<readonly JudgedNode[]> {
  const judged: JudgedNode[] = [];
  const own = { ...judging, readings: new KnownReadings() };
  await using helpers = JudgingThreads.start(names, judging, judging.options.onAnswer === undefined ? threads : 1);
  for (let start = helpers.next(NODES_AT_ONCE); start < names.length; start = helpers.next(NODES_AT_ONCE)) {
    for (const [index, name] of names.slice(start, start + NODES_AT_ONCE).entries())
      judged[start + index] = judgeStored(name, own);
    // What the others have found is taken meanwhile.
    await turn();
  }
  for (const { start, nodes } of await helpers.results()) {
    for (const [index, node] of nodes.entries()) judged[start + index] = node;
  }
  return judged;
}

function openCache(
  place: EvidencePlace,
  options: JudgeStoredOptions,
  remember: Remember | undefined,
): VerdictCache | undefined {
  if (remember === undefined || typeof place === "string" || options.onAnswer !== undefined) return undefined;
  return VerdictCache.open(remember, place.path, options);
}

/** By name, what was found before of the same evidence, where it is still young enough. */
function findRemembered(
  cache: VerdictCache,
  names: readonly string[],
  judging: Judging,
): ReadonlyMap<string, JudgedNode> {
  const { place, nowMs } = judging;
  const found = new Map<string, JudgedNode>();
  if (typeof place === "string") return found;
  try {
    for (const name of names) {
      const entries = place.digestOfEntries(name);
      const known = entries === undefined ? undefined : cache.find(name, entries);
      if (known?.seen === undefined || !isFresh(known, judging)) continue;
      found.set(name, { ...known, ageMs: nowMs - known.seen.challengedAtMs });
    }
    // The entries say what nodes share by its digest alone.
    if (found.size > 0) place.checkShared();
    return found;
  } catch (error) {
    // Each node is judged, and so told what is wrong.
    if (error instanceof AshlarError) return new Map();
    throw error;
  }
}

/** Whether a verdict does not depend on when it was found. */
function isFresh({ seen }: JudgedNode, { nowMs, options: { maxAgeMs } }: Judging): boolean {
  return seen !== undefined && judgeAge({ challengedAtMs: seen.challengedAtMs, nowMs, maxAgeMs }) === undefined;
}
