/** What is signed: an in-toto Statement, version 1 (github.com/in-toto/attestation, spec/v1/statement.md), with our predicate. */
import { LEVELS, type Level } from "@ashlar/identity";
import { STATEMENT_TYPE } from "@ashlar/statements";
import { z } from "zod";
import { digest, MAX_NODES, time } from "./node-record.ts";

export const PREDICATE_TYPE = "https://ashlar.dev/fleet-certificate/v1";
/** The name of the tree's root among the statement's subjects, and of its digest: no file has it. */
const TREE_SUBJECT = "nodes";
const ROOT_DIGEST = "rfc6962Sha256";

/** Certificates of trusted authorities: SHA-256 of their sorted SHA-256 fingerprints, one a line. */
export type TrustedRoots = { readonly count: number; readonly sha256: string };

/** By what nodes were judged, beside their declarations. */
export type TrustPolicy = {
  readonly ekRoots: TrustedRoots | null;
  readonly cloudRoots: TrustedRoots | null;
  readonly acceptExpiredEk: boolean;
  /** Whose list of endorsement keys was believed: the pin of the key. */
  readonly vouchedBy: string | null;
  /** SHA-256 of the file of firmware that is known to be good. */
  readonly firmwarePolicy: string | null;
  readonly maxAgeSeconds: number;
};

/** Nodes with one identity run the same under the same configuration. */
export type IdentityGroup = { readonly identity: string; readonly release: string | null; readonly nodes: number };

export type Predicate = {
  readonly issuedAt: string;
  readonly expiresAt: string;
  /** As `ashlar prove` says it, over what all nodes run and boot next. */
  readonly verdict: "proven" | "mismatch" | "unknown";
  readonly levels: Readonly<Record<Level, number>>;
  /** Of nodes that have an identity, the largest first. */
  readonly identities: readonly IdentityGroup[];
  readonly tree: { readonly size: number; readonly root: string };
  /** The file that says which nodes there are; null when there was none. */
  readonly fleet: { readonly name: string; readonly sha256: string } | null;
  readonly policies: readonly TrustPolicy[];
  /** The text from which all nonces follow; null when they were random. */
  readonly challenge: string | null;
  /** The program that has judged. */
  readonly verifier: string;
};

export type Statement = {
  readonly _type: typeof STATEMENT_TYPE;
  readonly subject: readonly { readonly name: string; readonly digest: Readonly<Record<string, string>> }[];
  readonly predicateType: typeof PREDICATE_TYPE;
  readonly predicate: Predicate;
};

export const MAX_CHALLENGE_CHARACTERS = 1024;
export const MAX_POLICIES = 1000;

const roots: z.ZodType<TrustedRoots> = z
  .strictObject({ count: z.int().min(1).max(100_000), sha256: digest })
  .describe("SHA-256 of the certificates' sorted SHA-256 fingerprints, one a line");

const policy: z.ZodType<TrustPolicy> = z.strictObject({
  ekRoots: roots.nullable().describe("Trusted makers of TPMs"),
  cloudRoots: roots.nullable().describe("Trusted clouds"),
  acceptExpiredEk: z.boolean().describe("Whether makers' certificates may have expired"),
  vouchedBy: z.string().max(200).nullable().describe("Whose list of endorsement keys was believed"),
  firmwarePolicy: digest.nullable().describe("SHA-256 of the file of firmware that is known to be good"),
  maxAgeSeconds: z.int().nonnegative().describe("Older evidence left a node unknown"),
});

const count = z.int().min(0).max(MAX_NODES);
const [proven, reported, mismatch, unknown] = LEVELS;

export const predicateSchema: z.ZodType<Predicate> = z.strictObject({
  issuedAt: time,
  expiresAt: time,
  verdict: z.enum(["proven", "mismatch", "unknown"]).describe("Over what all nodes run and boot next"),
  levels: z.strictObject({ [proven]: count, [reported]: count, [mismatch]: count, [unknown]: count }),
  identities: z
    .array(z.strictObject({ identity: digest, release: z.string().max(300).nullable(), nodes: count }))
    .max(MAX_NODES)
    .describe("Nodes with one identity run the same under the same configuration; the largest group first"),
  tree: z.strictObject({ size: count, root: digest }).describe("Over all nodes (RFC 6962, 2.1, with SHA-256)"),
  fleet: z
    .strictObject({ name: z.string().min(1).max(300), sha256: digest })
    .nullable()
    .describe("The file that says which nodes there are"),
  policies: z.array(policy).min(1).max(MAX_POLICIES),
  challenge: z
    .string()
    .min(1)
    .max(MAX_CHALLENGE_CHARACTERS)
    .nullable()
    .describe("The text from which all nonces follow; null when they were random"),
  verifier: z.string().max(300),
});

export const statementSchema: z.ZodType<Statement> = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z
    .array(z.strictObject({ name: z.string().max(300), digest: z.record(z.string().max(64), z.string().max(200)) }))
    .min(1)
    .max(2),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: predicateSchema,
});

/** The subjects are what the predicate names: the fleet's file, which other tools can compare, and the root. */
export function subjectsOf({ fleet, tree }: Pick<Predicate, "fleet" | "tree">): Statement["subject"] {
  const nodes = { name: TREE_SUBJECT, digest: { [ROOT_DIGEST]: tree.root } };
  return fleet === null ? [nodes] : [{ name: fleet.name, digest: { sha256: fleet.sha256 } }, nodes];
}

/** The JSON Schema of the predicate. */
export function fleetCertificateJsonSchema(): object {
  return {
    $id: "urn:ashlar:fleet-certificate-predicate:v1",
    title: `The predicate of a fleet certificate, ${PREDICATE_TYPE}`,
    ...z.toJSONSchema(predicateSchema),
  };
}
