import {
  compareCertificates,
  entryAt,
  NodeHistory,
  type FleetCertificate,
  type HistoryEntry,
  type NodeMoment,
} from "@ashlar/fleet";
import { logTransport, openLog, readLoggedCertificate, type Log } from "@ashlar/verifier";
import { changeText, comparisonSummary, nodeLines } from "../certificate/certificate-table.ts";
import { readLogKey, requireName } from "./log-key.ts";

export type Replayed = {
  readonly lines: readonly string[];
  readonly json: object;
  /** Whether anything is known of the time or the node that was asked for. */
  readonly isKnown: boolean;
};

/** What ran where. @throws AshlarError what opening the log throws, `untrusted` for a certificate that is another one */
export async function replay(options: {
  readonly log: string;
  readonly key: string;
  readonly at?: number;
  readonly node?: string;
}): Promise<Replayed> {
  const key = await readLogKey(options.key);
  const log = await openLog(logTransport(options.log), key.publicKey);
  requireName(key, log.checkpoint.origin);
  if (options.at !== undefined) return await showMoment(log, options.at, options.node);
  return await (options.node === undefined ? listChanges(log) : followNode(log, options.node));
}

async function showMoment(log: Log, atMs: number, name: string | undefined): Promise<Replayed> {
  const at = new Date(atMs).toISOString();
  const entry = entryAt(log.entries, atMs);
  const json = { schema: "ashlar.history-moment/v1", origin: log.checkpoint.origin, at };
  if (entry === undefined) {
    const lines = [`nothing is known of ${at}: the first certificate is later`];
    return { lines, json: { ...json, entry: null, nodes: [] }, isKnown: false };
  }
  const certificate = await readLoggedCertificate(log.transport, entry);
  const nodes = certificate.nodes.filter((node) => name === undefined || node.name === name);
  const shown = nodes.map((node) => Object.assign({}, node, { running: certificate.running.get(node.runs) }));
  const head = `at ${at}, by the certificate of ${entry.issuedAt}: ${entry.verdict}, ${entry.tree.size} nodes`;
  const found = nodes.length === 0 && name !== undefined ? [`no node ${name} in it`] : [];
  const lines = [head, ...(found.length > 0 ? found : nodeLines({ ...certificate, nodes }))];
  return { lines, json: { ...json, entry, nodes: shown }, isKnown: found.length === 0 };
}

async function listChanges(log: Log): Promise<Replayed> {
  const lines: string[] = [];
  const list: object[] = [];
  let before: FleetCertificate | undefined;
  for (const [index, entry] of byIssue(log.entries)) {
    const certificate = await readLoggedCertificate(log.transport, entry);
    const comparison = before === undefined ? undefined : compareCertificates(before, certificate);
    const changes = comparison === undefined ? "the first" : comparisonSummary(comparison);
    lines.push(`${index}  ${entry.issuedAt}  ${entry.verdict}  ${entry.tree.size} nodes  ${changes}`);
    list.push({ index, entry, comparison: comparison ?? null });
    before = certificate;
  }
  const json = { schema: "ashlar.history/v1", origin: log.checkpoint.origin, entries: list };
  return { lines: lines.length === 0 ? ["no certificates"] : lines, json, isKnown: lines.length > 0 };
}

async function followNode(log: Log, name: string): Promise<Replayed> {
  const history = new NodeHistory(name);
  for (const [, entry] of byIssue(log.entries)) {
    history.add(entry.issuedAt, await readLoggedCertificate(log.transport, entry));
  }
  const { moments } = history;
  const lines = moments.length === 0 ? [`no certificate has a node ${name}`] : moments.map(momentLine);
  const json = { schema: "ashlar.history-node/v1", origin: log.checkpoint.origin, name, moments };
  return { lines, json, isKnown: moments.length > 0 };
}

function momentLine({ issuedAt, changes, node }: NodeMoment): string {
  if (node === undefined) return `${issuedAt}  has left`;
  const state = `${node.level}, next boot ${node.nextBoot ?? "unknown"}, release ${node.running?.release ?? "unknown"}`;
  return `${issuedAt}  ${changes === undefined ? `is there: ${state}` : changes.map(changeText).join("; ")}`;
}

/** With their numbers, in the order in which they were issued: they may have come into the log in another one. */
function byIssue(entries: readonly HistoryEntry[]): [number, HistoryEntry][] {
  return [...entries.entries()].toSorted(([, a], [, b]) => Date.parse(a.issuedAt) - Date.parse(b.issuedAt));
}
