import { setImmediate as turn } from "node:timers/promises";
import { FirmwareLogs, judgeFleet } from "@ashlar/identity";
import { unanswered } from "./judge-answer.ts";
import type { FleetProof } from "./prove-nodes.ts";
import { judgeStored, type JudgedNode, type JudgeStoredOptions, type SeenAnswer } from "./stored/judge-stored.ts";
import { JudgingThreads } from "./stored/judging-threads.ts";

export type ProveStoredOptions = JudgeStoredOptions & {
  /** When it is judged: milliseconds since 1970. Default: now. */
  readonly nowMs?: number;
  /** Nodes whose answers are there although the directory does not name them among its own. */
  readonly strangers?: readonly string[];
  /** Called for each node whose answer could be read, in their order. */
  readonly onSeen?: (name: string, seen: SeenAnswer) => void;
  /** Default: as many as there are processors, where there are many nodes. With `onAnswer` always one. */
  readonly threads?: number;
};

/** Read and judged before anything else has its turn. */
const NODES_AT_ONCE = 32;

/**
 * Judges the evidence in a directory again, a few nodes at a time, so that memory does not grow with their number but for the
 * verdicts. Whoever can write to the directory decides what is in it: it is the verifier's own record.
 */
export async function proveStored(
  directory: string,
  names: readonly string[],
  { onSeen, strangers = [], nowMs = Date.now(), threads, ...options }: ProveStoredOptions,
): Promise<Omit<FleetProof, "peers">> {
  const judged: JudgedNode[] = [];
  const judging = { directory, nowMs, options, logs: new FirmwareLogs() };
  await using helpers = JudgingThreads.start(names, judging, options.onAnswer === undefined ? threads : 1);
  for (let start = helpers.next(NODES_AT_ONCE); start < names.length; start = helpers.next(NODES_AT_ONCE)) {
    for (const [index, name] of names.slice(start, start + NODES_AT_ONCE).entries())
      judged[start + index] = judgeStored(name, judging);
    // What the others have found is taken meanwhile.
    await turn();
  }
  for (const { start, nodes } of await helpers.results()) {
    for (const [index, node] of nodes.entries()) judged[start + index] = node;
  }
  for (const { name, seen } of judged) if (seen !== undefined) onSeen?.(name, seen);
  const agesMs = new Map(judged.flatMap(({ name, ageMs }) => (ageMs === undefined ? [] : [[name, ageMs]])));
  const unknown = strangers.map((name) => {
    const found = "an answer of a node that fleet.json does not name";
    return { name, ...unanswered("mismatch", "stored-evidence", "stored evidence", found) };
  });
  return { fleet: judgeFleet([...judged, ...unknown]), agesMs };
}
