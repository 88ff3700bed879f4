import { parseDocument, parseOwnDocument } from "@ashlar/protocol/answers";
import {
  base64,
  envelopeFields,
  parseStatement,
  PAYLOAD_TYPE,
  payloadText,
  type DsseEnvelope,
} from "@ashlar/statements";
import { z } from "zod";
import { digest, MAX_NODES, nodeRecordSchema, runningSchema, type NodeRecord, type Running } from "./node-record.ts";
import { PREDICATE_TYPE, statementSchema, type Statement } from "./statement.ts";

/** What stands beside the signed envelope, and is bound to it by the tree's root. */
type Attached = {
  /** Of the tree that these nodes are of: it only helps to say what is wrong. */
  readonly root: string;
  /** What nodes run, by its digest. */
  readonly running: ReadonlyMap<string, Running>;
};

/** A certificate of a whole fleet, as it was read: nothing of it is checked yet. */
export type FleetCertificate = Attached & {
  readonly kind: "fleet";
  readonly envelope: DsseEnvelope;
  readonly nodes: readonly NodeRecord[];
};

/** A proof for one node, which shows nothing of the others but what the statement says of all. */
export type NodeCertificate = Attached & {
  readonly kind: "node";
  readonly envelope: DsseEnvelope;
  readonly node: NodeRecord;
  /** The leaf's place in the tree, from 0. */
  readonly index: number;
  readonly path: readonly Uint8Array[];
};

export type Certificate = FleetCertificate | NodeCertificate;

/** The largest fleet takes about half of it. */
const MAX_CERTIFICATE_CHARACTERS = 64 * 1024 * 1024;
/** It is ASCII but for names, which are short. */
export const MAX_CERTIFICATE_BYTES: number = MAX_CERTIFICATE_CHARACTERS;
/** Identities take most of a statement: one of a fleet in which all nodes differ. */
const MAX_PAYLOAD_CHARACTERS = 32 * 1024 * 1024;
/** A tree of 2^17 leaves is higher than the largest fleet's. */
const MAX_PATH = 17;

const envelope = {
  ...envelopeFields(MAX_PAYLOAD_CHARACTERS),
  root: digest.describe("Of the tree that the nodes here are of; the signed statement has the one that counts"),
  running: z
    .record(digest, runningSchema)
    .describe("What nodes run, by the SHA-256 of it in canonical JSON (RFC 8785)"),
};

const fleetSchema = z.strictObject({
  ...envelope,
  nodes: z.array(nodeRecordSchema).max(MAX_NODES).describe("By name; the leaves of the tree, in order"),
});

const nodeSchema = z.strictObject({
  ...envelope,
  node: nodeRecordSchema,
  index: z.int().min(0).max(MAX_NODES).describe("The leaf's place in the tree, from 0"),
  path: z.array(base64(32)).max(MAX_PATH).describe("RFC 6962, 2.1.1: the hashes beside the way up"),
});

const kindSchema = z.object({ nodes: z.unknown().optional(), node: z.unknown().optional() });

/** @throws AshlarError `limit` or `malformed` */
export function parseCertificate(text: string): Certificate {
  const what = "certificate";
  // One reading of JSON is enough to know which of the two it is, and no more.
  const isNode = parseDocument(text, kindSchema, what, MAX_CERTIFICATE_CHARACTERS).node !== undefined;
  if (!isNode) {
    const { nodes, ...rest } = parseOwnDocument(text, fleetSchema, what, MAX_CERTIFICATE_CHARACTERS);
    return { kind: "fleet", ...partsOf(rest), nodes };
  }
  const { node, index, path, ...rest } = parseOwnDocument(text, nodeSchema, what, MAX_CERTIFICATE_CHARACTERS);
  return { kind: "node", ...partsOf(rest), node, index, path: path.map((each) => Buffer.from(each, "base64")) };
}

type Written = DsseEnvelope & { readonly root: string; readonly running: Readonly<Record<string, Running>> };

function partsOf({ root, running, ...signed }: Written): Attached & { readonly envelope: DsseEnvelope } {
  return { envelope: signed, root, running: new Map(Object.entries(running)) };
}

/** A text with one node a line, so that two certificates can be compared line by line. */
export function formatCertificate({ envelope: signed, root, running, nodes }: Omit<FleetCertificate, "kind">): string {
  const lines = nodes.map((node) => JSON.stringify(node));
  return `${headOf(signed, root, running)},\n"nodes": [\n${lines.join(",\n")}\n]}\n`;
}

export function formatNodeCertificate(certificate: Omit<NodeCertificate, "kind">): string {
  const { envelope: signed, root, running, node, index, path } = certificate;
  const steps = path.map((each) => Buffer.from(each).toString("base64"));
  const own = `"node": ${JSON.stringify(node)},\n"index": ${index},\n"path": ${JSON.stringify(steps)}`;
  return `${headOf(signed, root, running)},\n${own}}\n`;
}

function headOf(
  { payloadType, payload, signatures }: DsseEnvelope,
  root: string,
  running: Attached["running"],
): string {
  const members = { payloadType, payload, signatures, root, running: Object.fromEntries(running) };
  return `{${Object.entries(members)
    .map(([name, value]) => `"${name}": ${JSON.stringify(value)}`)
    .join(",\n")}`;
}

/**
 * What was signed.
 *
 * @throws AshlarError `malformed`, with what is wrong about the type first: a statement may be about anything
 */
export function readStatement(signed: DsseEnvelope): Statement {
  const form = { predicateType: PREDICATE_TYPE, schema: statementSchema, maxCharacters: MAX_PAYLOAD_CHARACTERS };
  return parseStatement(payloadText(signed), form);
}

/** The JSON Schemas of the two documents. */
export function certificateJsonSchema(): object {
  return {
    $id: "urn:ashlar:fleet-certificate:v1",
    title: `A certificate of a fleet (with nodes) or of one node: a DSSE envelope of ${PAYLOAD_TYPE}, and what its tree is over`,
    ...z.toJSONSchema(z.union([fleetSchema, nodeSchema])),
  };
}
