import { AshlarError, type Report } from "@ashlar/base";
import { expandPattern } from "./node-pattern.ts";
import { readYaml, type Complain } from "./read-yaml.ts";
import { fleetSchema, MAX_NODES, type FleetClass, type FleetDocument, type FleetEntry } from "./schema.ts";

/** A node that the file names. */
export type FleetNode = {
  readonly name: string;
  readonly url: string;
  readonly class: string;
  readonly nodeConfig?: string;
  readonly labels: Readonly<Record<string, string>>;
};

/** Nodes that an API server names. In `nodeConfig` {name} stands for a node's name. */
export type FleetCluster = {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly selector?: string;
  /** Undefined: what each Node's label says. */
  readonly class?: string;
  readonly nodeConfig?: string;
  readonly labels: Readonly<Record<string, string>>;
};

export type Fleet = Pick<FleetDocument, "releases" | "releaseRoot" | "pins" | "trust"> & {
  readonly classes: ReadonlyMap<string, FleetClass>;
  readonly nodes: readonly FleetNode[];
  readonly clusters: readonly FleetCluster[];
};

/** About 2000 nodes by name. The YAML library takes half a second for it; patterns and clusters name more in one line. */
const MAX_CHARACTERS = 128 * 1024;

/** Reads the text of a `fleet.yaml`. Without a fleet the report says all that is wrong with it. */
export function parseFleet(text: string): { readonly fleet?: Fleet; readonly report: Report } {
  let fleet: Fleet | undefined;
  const { value, report } = readYaml(text, {
    schema: fleetSchema,
    maxCharacters: MAX_CHARACTERS,
    check: (document, complain) => {
      fleet = fleetOf(document, complain);
    },
  });
  return value === undefined || fleet === undefined ? { report } : { fleet, report };
}

function fleetOf(document: FleetDocument, complain: Complain): Fleet {
  const { classes, nodes, releases, releaseRoot, pins, trust } = document;
  for (const [name, each] of Object.entries(classes)) checkClass(name, each, document, complain);
  const found = new Map<string, FleetNode>();
  const clusters: FleetCluster[] = [];
  for (const [index, entry] of nodes.entries()) {
    const at: Complain = (path, message, hint) => complain(["nodes", index, ...path], message, hint);
    if (!checkEntry(entry, classes, at)) continue;
    if (entry.source !== undefined) {
      const { name: _name, pattern: _pattern, source: _source, url: _url, labels = {}, ...cluster } = entry;
      clusters.push({ ...cluster, labels });
      continue;
    }
    const own = nodesOf(entry, at);
    const twice = own.find(({ name }) => found.has(name));
    if (twice !== undefined) at([], `expected each node once, found ${twice.name} again`);
    if (found.size + own.length > MAX_NODES) at([], `expected at most ${MAX_NODES} nodes in all`);
    else for (const node of own) found.set(node.name, node);
  }
  const rest = { ...(releases && { releases }), ...(releaseRoot && { releaseRoot }), ...(pins && { pins }) };
  const all = { classes: new Map(Object.entries(classes)), nodes: [...found.values()], clusters };
  return { ...rest, ...(trust && { trust }), ...all };
}

function checkClass(
  name: string,
  { image, release, channel }: FleetClass,
  document: FleetDocument,
  complain: Complain,
): void {
  const said = Object.entries({ image, release, channel }).filter(([, value]) => value !== undefined);
  const [first, second] = said.map(([key]) => key);
  if (first !== undefined && second !== undefined)
    complain(["classes", name, second], `expected one of image, release and channel, found ${first} and ${second}`);
  if ((release ?? channel) !== undefined && document.releases === undefined) {
    const hint = "name it at the top: releases: https://releases.example.org/";
    complain(["classes", name, first ?? ""], "expected the repository that has it, found no `releases`", hint);
  }
}

const WAYS = ["name", "pattern", "source"] as const;
const OF_A_CLUSTER = ["kubeconfig", "context", "selector"] as const;

/** Whether the entry can be made sense of. */
function checkEntry(entry: FleetEntry, classes: FleetDocument["classes"], complain: Complain): boolean {
  const [way, other] = WAYS.filter((each) => entry[each] !== undefined);
  if (way === undefined || other !== undefined) {
    complain(
      other === undefined ? [] : [other],
      `expected one of ${WAYS.join(", ")}, found ${way ?? "none"}${other ? ` and ${other}` : ""}`,
    );
    return false;
  }
  const stray = way === "source" ? (["url"] as const) : OF_A_CLUSTER;
  for (const key of stray) {
    if (entry[key] === undefined) continue;
    const whose =
      way === "source" ? "only with name or pattern: a cluster's nodes have their InternalIP" : "only with source";
    complain([key], `expected ${key} ${whose}`);
  }
  if (entry.class === undefined) {
    if (way === "source") return true;
    complain([], "expected a class, found none", "name one of the classes above");
    return false;
  }
  if (Object.hasOwn(classes, entry.class)) return true;
  complain(["class"], `expected one of the classes ${Object.keys(classes).join(", ")}, found ${entry.class}`);
  return false;
}

function nodesOf(entry: FleetEntry, complain: Complain): FleetNode[] {
  const { name, pattern, url = "https://{name}:7443", class: className = "", nodeConfig, labels = {} } = entry;
  const names = name === undefined ? namesOf(pattern ?? "", complain) : [name];
  const nodes: FleetNode[] = [];
  for (const each of names) {
    if (!NAME.test(each)) {
      complain(
        [name === undefined ? "pattern" : "name"],
        `expected host names, found ${JSON.stringify(each)}`,
        NAME_HINT,
      );
      return [];
    }
    const own = url.replaceAll("{name}", each);
    if (URL.parse(own)?.protocol !== "https:") {
      complain(["url"], `expected an https URL, found ${JSON.stringify(own)}`);
      return [];
    }
    const config = nodeConfig === undefined ? {} : { nodeConfig: nodeConfig.replaceAll("{name}", each) };
    nodes.push({ name: each, url: own, class: className, ...config, labels });
  }
  if (nodes.length > 1 && !url.includes("{name}")) {
    complain(["url"], "expected {name} in the URL, so that each node has its own");
    return [];
  }
  return nodes;
}

/** A host name (RFC 1123, 2.1), as the verifier's directories and records want it. */
const NAME =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/u;
const NAME_HINT = "letters, digits, hyphens and dots; an address goes into the URL";

function namesOf(pattern: string, complain: Complain): string[] {
  try {
    return expandPattern(pattern, MAX_NODES);
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    complain(["pattern"], error.message);
    return [];
  }
}
