/** SLSA provenance, version 1 (slsa.dev/spec/v1.0/provenance): how an image or an extension came about. */
import { AshlarError, SHA256_HEX, type Json } from "@ashlar/base";
import { z } from "zod";
import { parseStatement, STATEMENT_TYPE } from "../envelope.ts";

export const PROVENANCE_TYPE = "https://slsa.dev/provenance/v1";
/** What docs/provenance.md describes: the parameters and dependencies of each kind of build. */
export const BUILD_TYPES = {
  image: "https://ashlar.dev/build/image/v1",
  extension: "https://ashlar.dev/build/extension/v1",
} as const;
/** Somebody ran `ashlar` on a machine of theirs: it says nothing of that machine. */
export const DEFAULT_BUILDER = "https://ashlar.dev/builder/v1";

/**
 * What a dependency was for: `content` is in what was built, `build` are tools that made it, `source` is what people
 * wrote, `key` whose signatures it trusts or bears, `base` the release that an extension is for.
 */
export const ROLES = ["content", "build", "source", "key", "base"] as const;
export type Role = (typeof ROLES)[number];

/** in-toto ResourceDescriptor (github.com/in-toto/attestation, spec/v1/resource_descriptor.md). */
export type Material = {
  /** A package URL where it is a package: the same as in the bill of materials. */
  readonly uri?: string | undefined;
  readonly name?: string | undefined;
  /** Digests in hexadecimal, by algorithm (spec/v1/digest_set.md). */
  readonly digest: Readonly<Record<string, string>>;
  readonly downloadLocation?: string | undefined;
  readonly annotations: { readonly role: Role };
};

export type Subject = { readonly name: string; readonly digest: { readonly sha256: string } };

export type Provenance = {
  readonly _type: typeof STATEMENT_TYPE;
  readonly subject: readonly Subject[];
  readonly predicateType: typeof PROVENANCE_TYPE;
  readonly predicate: {
    readonly buildDefinition: {
      readonly buildType: string;
      /** What whoever built it has asked for. */
      readonly externalParameters: Readonly<Record<string, unknown>>;
      /** What the builder has chosen. */
      readonly internalParameters?: Readonly<Record<string, unknown>> | undefined;
      readonly resolvedDependencies: readonly Material[];
    };
    readonly runDetails: {
      readonly builder: { readonly id: string; readonly version?: Readonly<Record<string, string>> | undefined };
    };
  };
};

/** An image of 400 packages takes about 150 kB. */
export const MAX_PROVENANCE_BYTES: number = 4 * 1024 * 1024;
export const MAX_MATERIALS = 20_000;
const MAX_SUBJECTS = 64;
const MAX_TEXT = 2048;

const text = z.string().min(1).max(MAX_TEXT);
const digests = z
  .record(z.string().min(1).max(64), z.string().min(1).max(256))
  .refine((set) => Object.keys(set).length <= 8, "expected at most 8 digests");
/** Whatever JSON: what counts of it is looked at by name. */
const parameters = z.record(z.string().max(100), z.unknown());

const material: z.ZodType<Material> = z.object({
  uri: text.optional().describe("A package URL where it is a package"),
  name: text.optional(),
  digest: digests,
  downloadLocation: text.optional(),
  annotations: z.object({ role: z.enum(ROLES).describe("What it was for") }),
});

/** Members that are not known are left out, as in-toto's parsing rules ask: they are signed, and say nothing to us. */
export const provenanceSchema: z.ZodType<Provenance> = z.object({
  _type: z.literal(STATEMENT_TYPE),
  subject: z
    .array(z.object({ name: text, digest: z.object({ sha256: z.string().regex(SHA256_HEX, "expected a SHA-256") }) }))
    .min(1)
    .max(MAX_SUBJECTS),
  predicateType: z.literal(PROVENANCE_TYPE),
  predicate: z.object({
    buildDefinition: z.object({
      buildType: text,
      externalParameters: parameters.describe("What whoever built it has asked for"),
      internalParameters: parameters.optional().describe("What the builder has chosen"),
      resolvedDependencies: z.array(material).max(MAX_MATERIALS),
    }),
    runDetails: z.object({
      builder: z.object({ id: text, version: z.record(z.string().max(100), text).optional() }),
    }),
  }),
});

/**
 * The URI of a builder, as somebody has given it.
 *
 * @throws AshlarError `usage`
 */
export function checkBuilder(id: string): string {
  if (id.length <= MAX_TEXT && URL.canParse(id)) return id;
  throw new AshlarError("usage", `--builder: expected a URI, found ${JSON.stringify(id.slice(0, 100))}`, {
    hint: `such as https://ci.example.org/builder; the default is ${DEFAULT_BUILDER}`,
  });
}

/** @throws AshlarError `limit`, `malformed` */
export function parseProvenance(statement: string): Provenance {
  const form = { predicateType: PROVENANCE_TYPE, schema: provenanceSchema, maxCharacters: MAX_PROVENANCE_BYTES };
  return parseStatement(statement, form);
}

export type ProvenanceInput = {
  readonly buildType: string;
  readonly externalParameters: Readonly<Record<string, Json>>;
  readonly internalParameters?: Readonly<Record<string, Json>>;
  readonly builder: { readonly id: string; readonly version: Readonly<Record<string, string>> };
  readonly subjects: readonly { readonly name: string; readonly sha256: string }[];
  readonly materials: readonly Material[];
};

/**
 * The text of a provenance statement, not signed yet: it has no times and no machine's names, so that the same inputs give
 * the same bytes. Materials are sorted, and each is there once.
 */
export function makeProvenance(input: ProvenanceInput): string {
  const { buildType, externalParameters, internalParameters, builder, subjects, materials } = input;
  const sorted = new Map(materials.map((each) => [sortKey(each), each]));
  const statement: Provenance = {
    _type: STATEMENT_TYPE,
    subject: subjects.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
    predicateType: PROVENANCE_TYPE,
    predicate: {
      buildDefinition: {
        buildType,
        externalParameters,
        ...(internalParameters && { internalParameters }),
        resolvedDependencies: [...sorted].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each),
      },
      runDetails: { builder },
    },
  };
  const written = `${JSON.stringify(statement, undefined, 1)}\n`;
  // What is written can be read again.
  parseProvenance(written);
  return written;
}

function sortKey({ uri, name, digest, annotations, downloadLocation }: Material): string {
  const digestText = Object.entries(digest).map(([algorithm, value]) => `${algorithm}:${value}`);
  return JSON.stringify([annotations.role, uri ?? "", name ?? "", digestText.toSorted(), downloadLocation ?? ""]);
}

/** The JSON Schema of the statement. */
export function provenanceJsonSchema(): object {
  return {
    $id: "urn:ashlar:provenance:v1",
    title: `The provenance of an image or extension: an in-toto statement with ${PROVENANCE_TYPE}`,
    ...z.toJSONSchema(provenanceSchema),
  };
}
