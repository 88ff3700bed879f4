import { z } from "zod";

export const FLEET_SCHEMA = "ashlar.fleet/v1";

/** Enough for every fleet that is proved from one place. */
export const MAX_NODES = 100_000;
const MAX_CLASSES = 1000;
const MAX_ENTRIES = 10_000;
const MAX_LABELS = 64;
const MAX_PLACES = 64;

/** Whom to trust for TPMs. */
export type FleetTrust = {
  readonly ekRoots?: string;
  readonly cloudRoots?: string;
  readonly acceptExpiredEk?: boolean;
};

/** What all nodes of a class are declared to be. Paths are as the file has them. */
export type FleetClass = {
  readonly config: string;
  readonly filesDir?: string;
  readonly image?: string;
  readonly release?: string;
  readonly channel?: string;
  readonly extensions?: readonly string[];
  readonly trust?: FleetTrust;
};

/** An item of `nodes`, as it is written. */
export type FleetEntry = {
  readonly name?: string;
  readonly pattern?: string;
  readonly source?: "kubernetes";
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly selector?: string;
  readonly url?: string;
  readonly class?: string;
  readonly nodeConfig?: string;
  readonly labels?: Readonly<Record<string, string>>;
};

/** The file, as it is written. */
export type FleetDocument = {
  readonly schema: typeof FLEET_SCHEMA;
  readonly releases?: string;
  readonly releaseRoot?: string;
  readonly pins?: string;
  readonly trust?: FleetTrust;
  readonly classes: Readonly<Record<string, FleetClass>>;
  readonly nodes: readonly FleetEntry[];
};

const word = (what: string): z.ZodString => z.string(`expected ${what}`).min(1).max(4096, `expected ${what}`);
const place = word;

/** As Kubernetes wants values of labels: a class can be one. */
const className = z
  .string("expected a class's name")
  .regex(
    /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/u,
    "expected a class's name: at most 63 letters, digits, hyphens, dots",
  );

const labels = z
  .record(
    z.string().regex(/^[A-Za-z0-9](?:[-A-Za-z0-9_./]{0,251}[A-Za-z0-9])?$/u, "expected a label's name such as zone"),
    z.string("expected a text: put numbers and words such as yes in quotes").max(63, "expected at most 63 characters"),
  )
  .refine((all) => Object.keys(all).length <= MAX_LABELS, `expected at most ${MAX_LABELS} labels`)
  .describe("For people and programs that read this file, such as zone and rack");

const trust = z
  .strictObject({
    ekRoots: place("a file or directory of certificates").exactOptional().describe("Makers of TPMs that are trusted"),
    cloudRoots: place("a file or directory of certificates")
      .exactOptional()
      .describe("Clouds that are trusted for virtual TPMs"),
    acceptExpiredEk: z
      .boolean("expected true or false")
      .exactOptional()
      .describe("Whether makers' certificates may have expired"),
  })
  .describe("Whom to trust for TPMs; without it, the lab's maker or what `ashlar trust list` shows");

const fleetClass = z.strictObject({
  config: place("a Butane file, or an Ignition file that ends in .ign").describe(
    "What all nodes of the class are declared to be",
  ),
  filesDir: place("a directory").exactOptional().describe("Where the Butane file may embed local files from"),
  image: place("a directory").exactOptional().describe("The release, as `ashlar image build` wrote it"),
  release: word("a version").exactOptional().describe("The release, from the repository"),
  channel: word("a channel").exactOptional().describe("The release that this channel of the repository has"),
  extensions: z
    .array(place("a file or directory"))
    .max(MAX_PLACES)
    .exactOptional()
    .describe("Manifests of published extensions, or directories of them"),
  trust: trust.exactOptional(),
});

const node = z.strictObject({
  name: word("a node's name").exactOptional(),
  pattern: word("a pattern such as node-[1-100]")
    .exactOptional()
    .describe("Names with ranges of numbers, such as node-[1-100]"),
  source: z
    .literal("kubernetes", "expected kubernetes")
    .exactOptional()
    .describe("The nodes of a cluster, by its API server"),
  kubeconfig: place("a kubeconfig").exactOptional().describe("With source; default: $KUBECONFIG or ~/.kube/config"),
  context: word("a context").exactOptional().describe("With source: of the kubeconfig"),
  selector: word("a label selector")
    .exactOptional()
    .describe("With source: only Nodes with these labels, such as pool=workers"),
  url: word("an https URL")
    .exactOptional()
    .describe("Of the node's agent, {name} stands for the name; default: https://{name}:7443"),
  class: className
    .exactOptional()
    .describe("Default, with source: the Node's label ashlar.node-restriction.kubernetes.io/class"),
  nodeConfig: place("an Ignition file")
    .exactOptional()
    .describe("The node's own Ignition file, {name} stands for the name; without it, the node must have none"),
  labels: labels.exactOptional(),
});

export const fleetSchema: z.ZodType<FleetDocument> = z.strictObject({
  schema: z.literal(FLEET_SCHEMA, `expected ${FLEET_SCHEMA}`),
  releases: place("a directory or an http(s) URL")
    .exactOptional()
    .describe("The repository of releases and extensions"),
  releaseRoot: place("release-root.json").exactOptional().describe("Whose releases are trusted"),
  pins: place("a file").exactOptional().describe("The TPMs that were enrolled; default: the user's"),
  trust: trust.exactOptional(),
  classes: z
    .record(className, fleetClass, "expected classes by their names")
    .refine((all) => Object.keys(all).length <= MAX_CLASSES, `expected at most ${MAX_CLASSES} classes`),
  nodes: z.array(node, "expected a list of nodes").min(1, "expected one node at least").max(MAX_ENTRIES),
});

/** The JSON Schema of `fleet.yaml`. Paths in it are relative to the file. */
export function fleetJsonSchema(): object {
  return {
    $id: "urn:ashlar:fleet:v1",
    title: "fleet.yaml, version 1: classes and nodes; paths are relative to the file",
    ...z.toJSONSchema(fleetSchema),
  };
}
