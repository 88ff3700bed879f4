import type { KeyObject } from "node:crypto";
import { AshlarError, canonicalJson } from "@ashlar/base";
import { findEnvelopeProblem, type EnvelopeRefusal } from "@ashlar/statements";
import { rootOfPath, treeRoot } from "../merkle/tree.ts";
import { readStatement, type Certificate, type FleetCertificate, type NodeCertificate } from "./document.ts";
import { summaryOf, verdictOf } from "./make.ts";
import { recordHash, runningDigest } from "./node-record.ts";
import { subjectsOf, type Predicate } from "./statement.ts";

/** Why a certificate is refused: for programs. */
export type RefusalCode =
  | EnvelopeRefusal["code"]
  | "statement"
  | "expired"
  | "not-yet-valid"
  | "node-left-out"
  | "node-added"
  | "node-twice"
  | "node-order"
  | "node-changed"
  | "other-tree"
  | "running-changed"
  | "summary"
  | "other-fleet"
  | "other-challenge"
  | "evidence-missing"
  | "evidence-changed"
  | "evidence-nonce"
  | "evidence-verdict"
  | "evidence-policy";

export type Refusal = { readonly code: RefusalCode; readonly message: string };

export type CheckInput = {
  /** Without it nobody knows who has signed. */
  readonly publicKey?: KeyObject | undefined;
  readonly nowMs: number;
  /** The file that says which nodes there have to be. */
  readonly fleet?: ExpectedFleet | undefined;
  readonly challenge?: string | undefined;
};

export type ExpectedFleet = {
  readonly sha256: string;
  readonly names: readonly string[];
  /** Whether the names are all that there may be: a cluster's are not in the file. */
  readonly isWhole: boolean;
};

export type Checked = {
  /** What was signed; undefined when that cannot be told. */
  readonly predicate: Predicate | undefined;
  /** Empty when everything holds. */
  readonly refusals: readonly Refusal[];
};

/** The signer's clock may be a little ahead. */
const MAX_CLOCK_DIFFERENCE_MS = 5 * 60_000;

/** Checks a certificate, or a proof for one node, without asking anybody. */
export function checkCertificate(certificate: Certificate, input: CheckInput): Checked {
  const { envelope } = certificate;
  const problem = findEnvelopeProblem(envelope, input.publicKey === undefined ? undefined : [input.publicKey]);
  if (problem !== undefined) return { predicate: undefined, refusals: [problem] };
  let statement;
  try {
    statement = readStatement(envelope);
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    return refused("statement", error.message);
  }
  const { predicate } = statement;
  const refusals = [...checkTimes(predicate, input.nowMs), ...checkChallenge(predicate, input.challenge)];
  if (canonicalJson(statement.subject) !== canonicalJson(subjectsOf(predicate))) {
    refusals.push({ code: "summary", message: "expected the subjects that the predicate names, found others" });
  }
  const ofRunning = checkRunning(certificate);
  const checkTree = (): Refusal[] =>
    certificate.kind === "fleet" ? checkNodes(certificate, predicate) : checkNode(certificate, predicate);
  refusals.push(...(ofRunning.length > 0 ? ofRunning : checkTree()));
  if (input.fleet !== undefined) refusals.push(...checkFleet(certificate, predicate, input.fleet));
  return { predicate, refusals };
}

const MAX_SHOWN = 100;

function refused(code: RefusalCode, message: string): Checked {
  return { predicate: undefined, refusals: [{ code, message }] };
}

function checkTimes({ issuedAt, expiresAt }: Predicate, nowMs: number): Refusal[] {
  const now = new Date(nowMs).toISOString();
  if (nowMs > Date.parse(expiresAt)) {
    return [
      { code: "expired", message: `expected a certificate that is valid now, ${now}; it has expired at ${expiresAt}` },
    ];
  }
  if (nowMs < Date.parse(issuedAt) - MAX_CLOCK_DIFFERENCE_MS) {
    return [
      {
        code: "not-yet-valid",
        message: `expected a certificate of the past; it was issued at ${issuedAt}, now is ${now}`,
      },
    ];
  }
  return [];
}

function checkChallenge({ challenge }: Predicate, expected: string | undefined): Refusal[] {
  if (expected === undefined || challenge === expected) return [];
  const found = challenge === null ? "none: its nonces were random" : JSON.stringify(challenge.slice(0, MAX_SHOWN));
  const wanted = JSON.stringify(expected.slice(0, MAX_SHOWN));
  return [{ code: "other-challenge", message: `expected the challenge ${wanted}, found ${found}` }];
}

/** What nodes run stands beside them, by its digest. */
function checkRunning({ running }: Certificate): Refusal[] {
  for (const [key, value] of running) {
    if (runningDigest(value) !== key)
      return [
        { code: "running-changed", message: `expected what nodes run with the digest ${key}, found something else` },
      ];
  }
  return [];
}

function checkNodes(certificate: FleetCertificate, predicate: Predicate): Refusal[] {
  const { nodes, running, root } = certificate;
  const { tree } = predicate;
  for (const [index, { name }] of nodes.entries()) {
    const next = nodes[index + 1]?.name;
    if (next === name) return [{ code: "node-twice", message: `expected each node once, found ${name} twice` }];
    if (next !== undefined && next < name)
      return [
        { code: "node-order", message: `expected nodes in the order of their names, found ${next} after ${name}` },
      ];
  }
  const counts = `expected ${tree.size} nodes, found ${nodes.length}`;
  if (nodes.length < tree.size) return [{ code: "node-left-out", message: `${counts}: somebody has left nodes out` }];
  if (nodes.length > tree.size) return [{ code: "node-added", message: `${counts}: somebody has added nodes` }];
  const other = compareRoots(treeRoot(nodes.map(recordHash)), root, tree.root);
  if (other !== undefined) return [other];
  const without = nodes.find(({ runs }) => !running.has(runs));
  if (without !== undefined)
    return [{ code: "running-changed", message: `expected what ${without.name} runs, found nothing with its digest` }];
  return checkSummary(certificate, predicate);
}

function checkNode({ node, index, path, root, running }: NodeCertificate, { tree }: Predicate): Refusal[] {
  const found = rootOfPath(recordHash(node), index, tree.size, path);
  if (found === undefined) {
    const message = `expected a path to place ${index} of ${tree.size}, found one of another tree`;
    return [{ code: "other-tree", message }];
  }
  const other = compareRoots(found, root, tree.root);
  if (other !== undefined) return [other];
  if (running.has(node.runs)) return [];
  return [{ code: "running-changed", message: `expected what ${node.name} runs, found nothing with its digest` }];
}

/** Which of the two it is only helps to find out what has happened: neither is accepted. */
function compareRoots(found: Buffer, claimed: string, signed: string): Refusal | undefined {
  const root = found.toString("hex");
  if (root === signed && claimed === signed) return undefined;
  if (root === claimed || root === signed) {
    return {
      code: "other-tree",
      message: `expected the nodes of the tree ${signed}, found those of the tree ${claimed}`,
    };
  }
  return {
    code: "node-changed",
    message: `expected nodes that lead to the root ${signed}, found ${root}: one was changed`,
  };
}

/** A signer that counts otherwise than its own nodes do. */
function checkSummary(certificate: FleetCertificate, predicate: Predicate): Refusal[] {
  const { levels, identities } = summaryOf(certificate);
  const wrong = Object.entries({
    levels: canonicalJson(levels) === canonicalJson(predicate.levels),
    identities: canonicalJson(identities) === canonicalJson(predicate.identities),
    verdict: verdictOf(certificate.nodes) === predicate.verdict,
    policies: certificate.nodes.every(({ policy }) => policy < predicate.policies.length),
  }).find(([, isRight]) => !isRight);
  return wrong === undefined
    ? []
    : [{ code: "summary", message: `expected ${wrong[0]} that follow from the nodes, found others` }];
}

function checkFleet(certificate: Certificate, { fleet }: Predicate, expected: ExpectedFleet): Refusal[] {
  if (fleet === null || fleet.sha256 !== expected.sha256) {
    const found = fleet === null ? "no fleet file" : `the one with SHA-256 ${fleet.sha256}`;
    return [
      {
        code: "other-fleet",
        message: `expected a certificate of the fleet file with SHA-256 ${expected.sha256}, found ${found}`,
      },
    ];
  }
  if (certificate.kind === "node") return [];
  const certified = new Set(certificate.nodes.map(({ name }) => name));
  const declared = new Set(expected.names);
  const missing = expected.names.find((name) => !certified.has(name));
  if (missing !== undefined)
    return [{ code: "node-left-out", message: `expected the fleet's node ${missing} in the certificate, found none` }];
  const stranger = expected.isWhole ? [...certified].find((name) => !declared.has(name)) : undefined;
  if (stranger === undefined) return [];
  return [{ code: "node-added", message: `expected the fleet's nodes only, found ${stranger}` }];
}
