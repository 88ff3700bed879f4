import { AshlarError } from "@ashlar/base";
import { LEVELS, type Level } from "@ashlar/identity";
import { PAYLOAD_TYPE, signEnvelope, STATEMENT_TYPE, type Signer } from "@ashlar/statements";
import { inclusionPath, treeRoot } from "../merkle/tree.ts";
import { formatCertificate, formatNodeCertificate, type FleetCertificate } from "./document.ts";
import { MAX_DIFFERENCES, recordHash, runningDigest, type NodeRecord, type Running } from "./node-record.ts";
import { PREDICATE_TYPE, subjectsOf, type IdentityGroup, type Predicate, type Statement } from "./statement.ts";

/** What was proved of a node. */
export type ProvedNode = Omit<NodeRecord, "salt" | "runs"> & { readonly running: Running };

export type CertificateInput = Pick<Predicate, "verdict" | "fleet" | "policies" | "challenge" | "verifier"> & {
  readonly nodes: readonly ProvedNode[];
  readonly issuedAtMs: number;
  readonly validForMs: number;
};

/**
 * The text of a certificate.
 *
 * @param salt gives 16 random bytes each time
 * @throws AshlarError `invalid` for a node that is there twice, or a key of another kind
 */
export function makeCertificate(input: CertificateInput, signer: Signer, salt: () => Uint8Array): string {
  const running = new Map<string, Running>();
  const digests = new Map<Running, string>();
  const nodes = input.nodes
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ running: own, ...node }): NodeRecord => {
      const runs = digests.get(own) ?? runningDigest(own);
      digests.set(own, runs);
      running.set(runs, own);
      const differences = node.differences.slice(0, MAX_DIFFERENCES);
      return Object.assign(node, { differences, runs, salt: Buffer.from(salt()).toString("base64url") });
    });
  const twice = nodes.find(({ name }, index) => name === nodes[index + 1]?.name);
  if (twice !== undefined) throw new AshlarError("invalid", `expected each node once, found ${twice.name} again`);
  const root = treeRoot(nodes.map(recordHash)).toString("hex");
  const statement = statementOf(input, { nodes, running, root });
  const envelope = signEnvelope(PAYLOAD_TYPE, Buffer.from(JSON.stringify(statement)), signer);
  return formatCertificate({ envelope, root, running, nodes });
}

function statementOf(
  { verdict, fleet, policies, challenge, verifier, issuedAtMs, validForMs }: CertificateInput,
  tree: Pick<FleetCertificate, "nodes" | "running" | "root">,
): Statement {
  const predicate: Predicate = {
    issuedAt: new Date(issuedAtMs).toISOString(),
    expiresAt: new Date(issuedAtMs + validForMs).toISOString(),
    verdict,
    ...summaryOf(tree),
    tree: { size: tree.nodes.length, root: tree.root },
    fleet,
    policies,
    challenge,
    verifier,
  };
  return { _type: STATEMENT_TYPE, subject: subjectsOf(predicate), predicateType: PREDICATE_TYPE, predicate };
}

/** What of a statement follows from its nodes. */
export function summaryOf({
  nodes,
  running,
}: Pick<FleetCertificate, "nodes" | "running">): Pick<Predicate, "levels" | "identities"> {
  const levels: Record<Level, number> = { proven: 0, reported: 0, mismatch: 0, unknown: 0 };
  const groups = new Map<string, IdentityGroup>();
  for (const { level, runs } of nodes) {
    levels[level] += 1;
    const { identity = null, release = null } = running.get(runs) ?? {};
    if (identity === null) continue;
    groups.set(identity, { identity, release, nodes: (groups.get(identity)?.nodes ?? 0) + 1 });
  }
  const identities = [...groups.values()].toSorted((a, b) => b.nodes - a.nodes || (a.identity < b.identity ? -1 : 1));
  return { levels, identities };
}

/** A fleet's verdict, from the levels of its nodes and of what they boot next. */
export function verdictOf(nodes: readonly Pick<NodeRecord, "level" | "nextBoot">[]): Predicate["verdict"] {
  const found = new Set(nodes.flatMap(({ level, nextBoot }) => [level, nextBoot ?? LEVELS[3]]));
  if (found.has("mismatch")) return "mismatch";
  return found.size === 1 && found.has("proven") ? "proven" : "unknown";
}

/**
 * The text of a proof for one node. It shows the statement, this node, and hashes.
 *
 * @throws AshlarError `not-found` without such a node
 */
export function makeNodeCertificate({ envelope, root, running, nodes }: FleetCertificate, name: string): string {
  const index = nodes.findIndex((node) => node.name === name);
  const node = nodes[index];
  const own = running.get(node?.runs ?? "");
  if (node === undefined || own === undefined)
    throw new AshlarError("not-found", `expected the node ${name} in the certificate, found none`);
  const path = inclusionPath(nodes.map(recordHash), index);
  return formatNodeCertificate({ envelope, root, running: new Map([[node.runs, own]]), node, index, path });
}
