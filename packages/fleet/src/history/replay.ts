import { compareCertificates, type ChangedNode, type Comparison } from "../certificate/compare.ts";
import type { FleetCertificate } from "../certificate/document.ts";
import type { NodeRecord, Running } from "../certificate/node-record.ts";
import type { HistoryEntry } from "./entry.ts";

/** The certificate that says what was so at a moment: the last one that was issued until then. */
export function entryAt<T extends Pick<HistoryEntry, "issuedAt">>(entries: readonly T[], atMs: number): T | undefined {
  let found: T | undefined;
  for (const entry of entries) {
    const issuedMs = Date.parse(entry.issuedAt);
    // Of two of one moment the later in the log counts.
    if (issuedMs <= atMs && (found === undefined || issuedMs >= Date.parse(found.issuedAt))) found = entry;
  }
  return found;
}

export type NodeMoment = {
  readonly issuedAt: string;
  /** What has changed since the certificate before; undefined when the node was not in that. */
  readonly changes: ChangedNode["changes"] | undefined;
  /** Undefined when the node has left. */
  readonly node: (NodeRecord & { readonly running: Running | undefined }) | undefined;
};

/** Follows one node through certificates in the order of their issue: only the moments at which something is different. */
export class NodeHistory {
  readonly moments: NodeMoment[] = [];
  readonly #name: string;
  #last: FleetCertificate | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  add(issuedAt: string, certificate: FleetCertificate): void {
    const before = this.#last === undefined ? undefined : only(this.#last, this.#name);
    const after = only(certificate, this.#name);
    const [node] = after.nodes;
    const { changed, joined, left }: Comparison = compareCertificates(before ?? { ...after, nodes: [] }, after);
    this.#last = certificate;
    if (changed.length + joined.length + left.length === 0) return;
    const running = certificate.running.get(node?.runs ?? "");
    this.moments.push({
      issuedAt,
      changes: changed[0]?.changes,
      node: node === undefined ? undefined : Object.assign({}, node, { running }),
    });
  }
}

function only(certificate: FleetCertificate, name: string): FleetCertificate {
  return { ...certificate, nodes: certificate.nodes.filter((node) => node.name === name) };
}
