import { SHA256_HEX } from "@ashlar/base";
import { z } from "zod";
import { DIFFERENCE_CODES, type DifferenceCode } from "./check/difference-codes.ts";
import type { Difference } from "./check/difference.ts";
import { SLOT_STATES } from "./judge/judge-slot.ts";
import type { Fallback } from "./judge/judge-next-boot.ts";
import { EXTENSION_KINDS } from "@ashlar/protocol";
import type { VerdictExtension } from "./judge/judge-extensions.ts";

/**
 * - `proven`: a trusted TPM has signed, just now, that the node is what was declared.
 * - `reported`: software says so; no trusted maker vouches for the TPM that signed it.
 * - `mismatch`: the node is something else, or its evidence does not hold.
 * - `unknown`: no answer, or only an old one.
 */
export const LEVELS = ["proven", "reported", "mismatch", "unknown"] as const;
export type Level = (typeof LEVELS)[number];

/**
 * What is known about one node: level and differences are about what it runs, `nextBoot` is about what it boots next. Who
 * decides on both has to look at both. Members are null where the evidence does not prove them.
 */
export type NodeVerdict = {
  readonly level: Level;
  /** The OS version that the node runs. */
  readonly release: string | null;
  /** See `nodeIdentity`. */
  readonly identity: string | null;
  /** SHA-256 of the class's and of the node's own Ignition config, as measured. */
  readonly config: string | null;
  readonly nodeConfig: string | null;
  /** All that is merged, as measured, sorted by name. */
  readonly extensions: readonly VerdictExtension[];
  /** What is worth knowing although it is right, for example what a debug session has left in the log. */
  readonly notes: readonly string[];
  /** Null when the node was not asked, or nobody knows who has answered. */
  readonly nextBoot: NextBootVerdict | null;
  /** The most telling difference comes first; empty only when proven. */
  readonly differences: readonly Difference[];
};

/**
 * What a node will boot. The level is `mismatch` when that is no known, undamaged release, `unknown` when it cannot be
 * told, `reported` when it is known only from software that is not itself proven.
 */
export type NextBootVerdict = {
  /** The release that starts next; null when it is none that is known. */
  readonly release: string | null;
  readonly level: Level;
  readonly differences: readonly Difference[];
  readonly fallback: Fallback | null;
  /** What is worth knowing although it is right. */
  readonly notes: readonly string[];
};

export const EMPTY_VERDICT: Omit<NodeVerdict, "level" | "differences"> = {
  release: null,
  identity: null,
  config: null,
  nodeConfig: null,
  extensions: [],
  notes: [],
  nextBoot: null,
};

export type NamedVerdict = { readonly name: string } & NodeVerdict;

export const FLEET_VERDICT_SCHEMA = "ashlar.fleet-verdict/v2";

/** What `ashlar prove --json` prints. */
export type FleetVerdict = {
  readonly schema: typeof FLEET_VERDICT_SCHEMA;
  /**
   * Over what all nodes run and boot next: `mismatch` if any of it is; else `unknown` if any of it is not proven; else
   * `proven`.
   */
  readonly verdict: "proven" | "mismatch" | "unknown";
  /** How many different identities the nodes have. */
  readonly identities: number;
  readonly nodes: readonly NamedVerdict[];
};

const digest = z.string().regex(SHA256_HEX);

/** For schemas of what names a difference. */
export const differenceSchema: z.ZodType<Difference> = z.strictObject({
  code: z
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets which names these are
    .enum(Object.keys(DIFFERENCE_CODES) as [DifferenceCode, ...DifferenceCode[]])
    .describe("What it is about, for programs: the list only grows"),
  subject: z.string().exactOptional().describe("Which one: a PCR's number, an extension's name, a section, a path"),
  what: z.string().describe("Texts are for people and may change"),
  expected: z.string(),
  found: z.string(),
});
/** The same of several. */
export const differencesSchema: z.ZodType<readonly Difference[]> = z.array(differenceSchema);
const differences = differencesSchema;

/** For schemas of what names a next boot. */
export const nextBootVerdictSchema: z.ZodType<NextBootVerdict> = z.strictObject({
  release: z.string().nullable().describe("The OS version that starts next, when it is a known one"),
  level: z
    .enum(LEVELS)
    .describe(
      "mismatch when that is no known, undamaged release; unknown when it cannot be told; reported when the node that says so is not proven",
    ),
  differences,
  fallback: z
    .strictObject({
      release: z.string(),
      state: z.enum(SLOT_STATES).describe("intact when every block has been read since it was written, and matched"),
    })
    .nullable()
    .describe("What starts when the tries of the next release are used up"),
  notes: z
    .array(z.string())
    .describe("What is worth knowing although it is right: texts are for people and may change"),
});

const extension: z.ZodType<VerdictExtension> = z.strictObject({
  kind: z.enum(EXTENSION_KINDS),
  name: z.string(),
  version: z.string().nullable().describe("As published; null when nobody is known to have published this root hash"),
  rootHash: digest,
  note: z.string().nullable().describe("What is worth knowing although it is right"),
  until: z.string().nullable().describe("RFC 3339: when the debug session ends that it is allowed for"),
});

const nodeVerdictMembers = {
  level: z.enum(LEVELS).describe("Of what the node runs; its next boot has a level of its own"),
  release: z.string().nullable().describe("The OS version that the node runs"),
  identity: digest.nullable().describe("Digest of release, /usr, UKI, extensions and class config"),
  config: digest.nullable().describe("SHA-256 of the class's Ignition config, as measured"),
  nodeConfig: digest.nullable().describe("SHA-256 of the node's own Ignition config, as measured"),
  extensions: z.array(extension).describe("All that is merged, as measured, sorted by name"),
  notes: z.array(z.string()).describe("What is worth knowing although it is right"),
  nextBoot: nextBootVerdictSchema
    .nullable()
    .describe("What the node boots next; null when it did not answer, or nobody knows who has"),
  differences: differences.describe("In what the node runs: the most telling one comes first; empty only when proven"),
};

/** For schemas of what names a node's verdict. */
export const nodeVerdictSchema: z.ZodType<NodeVerdict> = z.strictObject(nodeVerdictMembers);

export const fleetVerdictSchema: z.ZodType<FleetVerdict> = z.strictObject({
  schema: z.literal(FLEET_VERDICT_SCHEMA),
  verdict: z
    .enum(["proven", "mismatch", "unknown"])
    .describe(
      "Over what all nodes run and boot next: mismatch if any of it is; else unknown if any of it is not proven; else proven",
    ),
  identities: z.int().nonnegative().describe("How many different identities the nodes have"),
  nodes: z.array(z.strictObject({ name: z.string(), ...nodeVerdictMembers })),
});

/** The JSON Schema of {@link FleetVerdict}. Its version changes when a member is removed or changes its meaning. */
export function fleetVerdictJsonSchema(): object {
  return {
    $id: "urn:ashlar:fleet-verdict:v2",
    title: "What `ashlar prove --json` prints, version 2",
    ...z.toJSONSchema(fleetVerdictSchema),
  };
}
