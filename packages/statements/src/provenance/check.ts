import type { KeyObject } from "node:crypto";
import { AshlarError, firstOf } from "@ashlar/base";
import { parseDocument } from "@ashlar/protocol/answers";
import { z } from "zod";
import type { DsseEnvelope } from "../dsse.ts";
import { envelopeFields, type EnvelopeRefusal, findEnvelopeProblem, payloadText } from "../envelope.ts";
import { MAX_PROVENANCE_BYTES, parseProvenance, type Material, type Provenance } from "./provenance.ts";
import type { SbomComponents } from "./sbom-components.ts";

/** Why provenance is refused: for programs. */
export type ProvenanceRefusalCode =
  | EnvelopeRefusal["code"]
  | "statement"
  | "build-type"
  | "builder"
  | "parameters"
  | "subject-missing"
  | "material-digest"
  | "material-missing"
  | "source-missing";

export type ProvenanceRefusal = { readonly code: ProvenanceRefusalCode; readonly message: string };

export type ExpectedProvenance = {
  readonly buildType: string;
  readonly builder: string;
  /** Of what was asked for, what has to be so: the name and version under which it is offered. */
  readonly parameters: Readonly<Record<string, string>>;
  /** What it has to be about. */
  readonly artifacts: readonly { readonly name: string; readonly sha256: string }[];
  /** What the bill of materials lists. */
  readonly components: SbomComponents;
};

export type CheckedProvenance = {
  /** What was signed; undefined when that cannot be told. */
  readonly provenance: Provenance | undefined;
  /** Empty when everything holds. */
  readonly refusals: readonly ProvenanceRefusal[];
};

/** The payload in base64, and signatures. */
export const MAX_SIGNED_PROVENANCE_BYTES: number = Math.ceil(MAX_PROVENANCE_BYTES / 3) * 4 + 65_536;

const envelopeSchema: z.ZodType<DsseEnvelope> = z.strictObject(envelopeFields(MAX_PROVENANCE_BYTES));

/** @throws AshlarError `limit`, `malformed` */
export function parseSignedProvenance(text: string): DsseEnvelope {
  return parseDocument(text, envelopeSchema, "provenance", MAX_SIGNED_PROVENANCE_BYTES);
}

/** One line: a bundle of one attestation (github.com/in-toto/attestation, spec/v1/bundle.md). */
export function formatSignedProvenance({ payloadType, payload, signatures }: DsseEnvelope): string {
  return `${JSON.stringify({ payloadType, payload, signatures })}\n`;
}

/** Checks signed provenance without asking anybody. Nothing of it is read before its signature is. */
export function checkProvenance(
  text: string,
  expected: ExpectedProvenance & { readonly publicKeys: readonly KeyObject[] },
): CheckedProvenance {
  try {
    const envelope = parseSignedProvenance(text);
    const problem = findEnvelopeProblem(envelope, expected.publicKeys);
    if (problem !== undefined) return { provenance: undefined, refusals: [problem] };
    const provenance = parseProvenance(payloadText(envelope));
    return { provenance, refusals: judgeProvenance(provenance, expected) };
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    return { provenance: undefined, refusals: [{ code: "statement", message: error.message }] };
  }
}

/**
 * What is wrong with a statement that is not signed yet, by whatever builder.
 *
 * @throws AshlarError `limit`, `malformed`
 */
export function checkProvenanceOf(
  statement: string,
  expected: Omit<ExpectedProvenance, "builder">,
): ProvenanceRefusal[] {
  const provenance = parseProvenance(statement);
  return judgeProvenance(provenance, { ...expected, builder: provenance.predicate.runDetails.builder.id });
}

function judgeProvenance(provenance: Provenance, expected: ExpectedProvenance): ProvenanceRefusal[] {
  const { buildDefinition, runDetails } = provenance.predicate;
  const { buildType, externalParameters, resolvedDependencies } = buildDefinition;
  return [
    ...expectEqual("build-type", "the build type", expected.buildType, buildType),
    ...expectEqual("builder", "the builder", expected.builder, runDetails.builder.id),
    ...Object.entries(expected.parameters).flatMap(([name, value]) =>
      expectEqual("parameters", `the parameter ${name}`, value, externalParameters[name]),
    ),
    ...judgeSubjects(provenance, expected),
    ...judgeDigests(resolvedDependencies),
    ...judgeComponents(resolvedDependencies, expected.components),
  ];
}

const MAX_SHOWN_CHARACTERS = 200;
const MAX_NAMED = 5;

function expectEqual(code: ProvenanceRefusalCode, what: string, expected: string, found: unknown): ProvenanceRefusal[] {
  if (found === expected) return [];
  const shown = (JSON.stringify(found) ?? "nothing").slice(0, MAX_SHOWN_CHARACTERS);
  return [{ code, message: `expected ${what} ${JSON.stringify(expected)}, found ${shown}` }];
}

/** in-toto compares by digest; names only help people. */
function judgeSubjects({ subject }: Provenance, { artifacts }: ExpectedProvenance): ProvenanceRefusal[] {
  const about = new Set(subject.map(({ digest }) => digest.sha256));
  return artifacts
    .filter(({ sha256 }) => !about.has(sha256))
    .map(({ name, sha256 }) => ({
      code: "subject-missing",
      message: `expected provenance of ${name}, SHA-256 ${sha256}; it is about others`,
    }));
}

/** Algorithms (in-toto, spec/v1/digest_set.md) under which nobody finds a second input, and how long their values are. */
const STRONG_DIGESTS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128, dirHash: 64 };
/** Names a commit of a checkout without changes; git itself finds collisions of SHA-1 that are known. */
const GIT_COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/u;

function judgeDigests(materials: readonly Material[]): ProvenanceRefusal[] {
  const weak = materials.filter(({ digest, annotations }) => {
    const found = Object.entries(digest);
    const isStrong = found.some(([name, value]) => STRONG_DIGESTS[name] === value.length && /^[0-9a-f]+$/u.test(value));
    return !isStrong && !(annotations.role === "source" && GIT_COMMIT.test(digest["gitCommit"] ?? ""));
  });
  if (weak.length === 0) return [];
  const names = firstOf(weak.map(nameOf), MAX_NAMED);
  return [
    { code: "material-digest", message: `expected a SHA-256 or better of each dependency, found none of ${names}` },
  ];
}

/** What the bill of materials says is in there must have come from somewhere. */
function judgeComponents(materials: readonly Material[], { packages, files }: SbomComponents): ProvenanceRefusal[] {
  const known = new Set(materials.filter(({ annotations }) => annotations.role === "content").map(({ uri }) => uri));
  const missing = packages.filter((purl) => !known.has(purl));
  const refusals: ProvenanceRefusal[] = [];
  if (missing.length > 0) {
    const message = `expected every package of the bill of materials among the dependencies, found no ${firstOf(missing, MAX_NAMED)}`;
    refusals.push({ code: "material-missing", message });
  }
  if (files > 0 && !materials.some(({ annotations }) => annotations.role === "source")) {
    const message = `expected where the ${files} files of the bill of materials come from, found no source`;
    refusals.push({ code: "source-missing", message });
  }
  return refusals;
}

function nameOf({ uri, name }: Material): string {
  return (uri ?? name ?? "one without a name").slice(0, MAX_SHOWN_CHARACTERS);
}
