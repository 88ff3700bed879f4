/** A workspace may import only what stands on a line above its own. */
export const LAYERS: readonly (readonly string[])[] = [
  ["packages/base"],
  ["packages/butane"],
  ["packages/formats"],
  ["packages/protocol"],
  ["packages/statements"],
  ["packages/declaration"],
  ["packages/identity"],
  ["packages/fleet"],
  ["packages/views"],
  ["packages/inventory"],
  ["packages/repository-index"],
  ["packages/host"],
  ["packages/volumes"],
  ["packages/repository"],
  ["packages/keys"],
  ["packages/publisher"],
  ["packages/debian"],
  ["packages/image"],
  ["packages/extensions"],
  ["packages/verifier"],
  ["packages/gateway"],
  ["packages/watch"],
  ["packages/rollout"],
  ["packages/audit"],
  ["packages/kube"],
  ["packages/lab"],
  ["apps/agent", "apps/operator", "apps/console"],
  ["apps/headlamp"],
  ["apps/cli"],
  ["apps/demo"],
  ["test", "tools"],
];

/** A part of the whole, as ARCHITECTURE.md has them, and the parts that it may import beside itself. */
export type Group = { readonly members: readonly string[]; readonly uses: readonly GroupName[] };
export type GroupName = "values" | "machine" | "build" | "node" | "outside" | "cluster" | "people";

/**
 * What kind of thing it is, where it runs, with which privilege. What builds, what runs on a node and what asks nodes do
 * not see each other. Tests may.
 */
export const GROUPS: Readonly<Record<GroupName, Group>> = {
  values: {
    members: [
      "packages/base",
      "packages/butane",
      "packages/formats",
      "packages/protocol",
      "packages/statements",
      "packages/declaration",
      "packages/identity",
      "packages/fleet",
      "packages/views",
      "packages/inventory",
      "packages/repository-index",
    ],
    uses: [],
  },
  machine: { members: ["packages/host", "packages/volumes", "packages/repository"], uses: ["values"] },
  build: {
    members: ["packages/keys", "packages/publisher", "packages/debian", "packages/image", "packages/extensions"],
    uses: ["values", "machine"],
  },
  node: { members: ["apps/agent"], uses: ["values", "machine"] },
  outside: {
    members: [
      "packages/verifier",
      "packages/gateway",
      "packages/watch",
      "packages/rollout",
      "packages/audit",
      "packages/lab",
    ],
    uses: ["values", "machine"],
  },
  cluster: { members: ["packages/kube", "apps/operator"], uses: ["values", "machine", "outside"] },
  people: {
    members: ["apps/console", "apps/headlamp", "apps/cli", "apps/demo", "test", "tools"],
    uses: ["values", "machine", "build", "outside", "cluster"],
  },
};

/** Where the node's program begins, and the libraries that may be loaded from there: each is code in the image. */
export const NODE_PROGRAM = "apps/agent/src/main.ts";
export const NODE_LIBRARIES: readonly string[] = ["@tufjs/models", "tuf-js", "yaml"];
/** Packages that judge or translate: a node needs neither. */
export const NOT_ON_NODES: readonly string[] = ["packages/butane", "packages/identity"];

/**
 * Folders of a workspace, and the folders beside them that each may import. Files directly in `src` may import all. The
 * agent's folders are its processes: what faces the network must not reach what writes disks or merges extensions. What
 * decides about a rollout does not know how nodes are reached.
 */
export const FOLDERS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "apps/agent": {
    shared: [],
    slots: ["shared"],
    extensions: ["shared", "slots"],
    boot: ["shared", "slots", "extensions"],
    answer: ["shared"],
    refresher: ["shared", "extensions"],
    updater: ["shared", "slots", "extensions", "boot"],
    cluster: ["shared"],
    commands: ["shared", "slots", "extensions", "boot", "refresher", "cluster"],
  },
  "packages/inventory": {
    versions: [],
    contents: [],
    question: ["versions", "contents"],
    differences: ["contents"],
    advisories: ["versions", "contents", "question"],
  },
  "packages/audit": {
    snapshot: [],
    rules: [],
    collected: ["snapshot"],
    compare: ["snapshot", "rules"],
    suggest: ["snapshot", "rules"],
    collect: ["snapshot", "collected"],
  },
  "packages/rollout": { turn: [], fleet: [], cluster: ["turn"], drive: ["turn", "fleet", "cluster"] },
  "packages/kube": { access: [], client: ["access"], objects: ["v1alpha1"], v1alpha1: [], definitions: ["v1alpha1"] },
};

/** Packages and folders that are functions from values to values. Their tests may read files. */
export const PURE: readonly string[] = [
  ...GROUPS.values.members,
  "packages/audit/src/snapshot",
  "packages/audit/src/collected",
  "packages/audit/src/rules",
  "packages/audit/src/compare",
  "packages/audit/src/suggest",
  "packages/rollout/src/turn",
  "packages/rollout/src/cluster",
  "packages/rollout/src/fleet",
  "packages/watch/src/decide",
  "packages/kube/src/v1alpha1",
  "packages/kube/src/definitions",
  "apps/operator/src/decide",
];

/** Modules of Node.js that do no input or output. */
export const PURE_NODE_MODULES: readonly string[] = [
  "node:assert",
  "node:buffer",
  "node:crypto",
  "node:path/posix",
  "node:util",
  "node:zlib",
];

/** What people read leaves through one door, which keeps others' text from being an instruction to their terminal. */
export const PRINTING: RegExp =
  /\bconsole\.(?:log|error|warn|info|debug|table|dir|trace)\(|\b(?:stdout|stderr)\.write\b/u;
/** The door, and who asks for a passphrase in its own words on the terminal that it has made silent. */
export const PRINTERS: readonly string[] = [
  "packages/host/src/terminal/print.ts",
  "apps/cli/src/release/passphrase.ts",
];

/** Clocks, randomness, processes and networks come in as arguments. */
export const IMPURE_EXPRESSIONS: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b/u, what: "a clock" },
  { pattern: /\bMath\.random\b|\brandom(?:Bytes|UUID|Int|Fill|FillSync)\b|\bgetRandomValues\b/u, what: "randomness" },
  { pattern: /\bprocess\.|\bconsole\./u, what: "the process" },
  { pattern: /\bfetch\(/u, what: "the network" },
];
