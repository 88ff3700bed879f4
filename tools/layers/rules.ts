/** The order of ARCHITECTURE.md: a workspace may import only what stands on a line above its own. */
export const LAYERS: readonly (readonly string[])[] = [
  ["packages/base"],
  ["packages/butane"],
  ["packages/formats"],
  ["packages/protocol"],
  ["packages/declaration"],
  ["packages/identity"],
  ["packages/host"],
  ["packages/release"],
  ["packages/verifier"],
  ["packages/image"],
  ["packages/extensions"],
  ["packages/lab"],
  ["apps/agent", "apps/cli"],
  ["apps/demo"],
  ["test", "tools"],
];

/** The agent runs on every node: it must not carry what builds images, drives labs or judges nodes. */
export const ONLY: Readonly<Record<string, readonly string[]>> = {
  "apps/agent": [
    "packages/base",
    "packages/formats",
    "packages/protocol",
    "packages/declaration",
    "packages/host",
    "packages/release",
  ],
};

/**
 * Folders of a workspace, and the folders beside them that each may import. Files directly in `src` may import all. The
 * agent's folders are its processes: what faces the network must not reach what writes disks or merges extensions.
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
    commands: ["shared", "slots", "extensions", "boot", "refresher"],
  },
};

/** Packages that are functions from values to values. Their tests may read files. */
export const PURE: readonly string[] = [
  "packages/base",
  "packages/butane",
  "packages/formats",
  "packages/protocol",
  "packages/declaration",
  "packages/identity",
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

/** Clocks, randomness, processes and networks come in as arguments. */
export const IMPURE_EXPRESSIONS: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b/u, what: "a clock" },
  { pattern: /\bMath\.random\b|\brandom(?:Bytes|UUID|Int|Fill|FillSync)\b|\bgetRandomValues\b/u, what: "randomness" },
  { pattern: /\bprocess\.|\bconsole\./u, what: "the process" },
  { pattern: /\bfetch\(/u, what: "the network" },
];
