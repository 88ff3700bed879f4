import type { FleetCertificate } from "./document.ts";
import type { NodeRecord, Running } from "./node-record.ts";

export type Change = {
  readonly what: "level" | "next boot" | "release" | "config" | "extension" | "build";
  /** Which extension. */
  readonly subject?: string;
  readonly before: string;
  readonly after: string;
};

export type ChangedNode = { readonly name: string; readonly changes: readonly Change[] };

export type Comparison = {
  readonly joined: readonly string[];
  readonly left: readonly string[];
  readonly changed: readonly ChangedNode[];
  /** How many are the same in both. */
  readonly same: number;
};

type Nodes = Pick<FleetCertificate, "nodes" | "running">;

/** Who has joined, left and changed from one certificate to another, and what about them. When they were asked does not count. */
export function compareCertificates(before: Nodes, after: Nodes): Comparison {
  const old = new Map(before.nodes.map((node) => [node.name, node]));
  const now = new Set(after.nodes.map(({ name }) => name));
  const changed: ChangedNode[] = [];
  let same = 0;
  for (const node of after.nodes) {
    const earlier = old.get(node.name);
    if (earlier === undefined) continue;
    const changes = changesOf(
      { ...earlier, running: before.running.get(earlier.runs) },
      { ...node, running: after.running.get(node.runs) },
    );
    if (changes.length > 0) changed.push({ name: node.name, changes });
    else same += 1;
  }
  return {
    joined: after.nodes.flatMap(({ name }) => (old.has(name) ? [] : [name])),
    left: before.nodes.flatMap(({ name }) => (now.has(name) ? [] : [name])),
    changed,
    same,
  };
}

type Node = NodeRecord & { readonly running: Running | undefined };

function changesOf(before: Node, after: Node): Change[] {
  const changes: Change[] = [];
  const add = (what: Change["what"], one: string, other: string, subject?: string): void => {
    if (one !== other) changes.push({ what, before: one, after: other, ...(subject === undefined ? {} : { subject }) });
  };
  add("level", describeLevel(before), describeLevel(after));
  add("next boot", before.nextBoot ?? "unknown", after.nextBoot ?? "unknown");
  const [one, other] = [before.running, after.running];
  add("release", one?.release ?? NONE, other?.release ?? NONE);
  add("config", one?.config ?? NONE, other?.config ?? NONE);
  const [merged, mergedNow] = [extensionsOf(one), extensionsOf(other)];
  for (const name of new Set([...merged.keys(), ...mergedNow.keys()])) {
    add("extension", merged.get(name) ?? NONE, mergedNow.get(name) ?? NONE, name);
  }
  // Another kernel image or /usr under the version of before.
  if (changes.length === 0) add("build", one?.identity ?? NONE, other?.identity ?? NONE);
  return changes;
}

const NONE = "none";

function describeLevel({ level, differences }: NodeRecord): string {
  return level === "proven" || differences.length === 0 ? level : `${level} (${differences.join(", ")})`;
}

function extensionsOf(running: Running | undefined): ReadonlyMap<string, string> {
  const all = running?.extensions ?? [];
  return new Map(
    all.map(({ kind, name, version, rootHash }) => [`${kind} ${name}`, `${version ?? "unknown"} ${rootHash}`]),
  );
}
