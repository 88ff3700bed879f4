/** What a real API server makes of deploy/crds: it establishes the kinds, takes what is right, and says what is not. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { customResourceDefinitions } from "@ashlar/kube";
import { ashlar, removeLabOnSignal } from "../e2e/world.ts";
import { nodeClass, nodeProof, rollout } from "./custom-resources.ts";
import { DrainLab } from "./drain-lab.ts";

const MINUTES = 60_000;
const NAME = "e2e-custom-resources";
const DIGEST = "a".repeat(64);
let lab: DrainLab;

removeLabOnSignal(NAME);

before(
  async () => {
    lab = await DrainLab.up(NAME);
    await lab.apply("-f", "deploy/crds");
  },
  { timeout: 60 * MINUTES },
);

after(async () => await ashlar("lab", "down", "--name", NAME));

/** What the API server says against it. */
async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof AshlarError) return error.message;
    throw error;
  }
  throw new Error("the API server has taken it");
}

test("all kinds are established, take a valid object and fill in what it leaves open", async () => {
  await lab.create(nodeClass("worker"), nodeProof("worker-1"), rollout("first"));
  const found = await lab.kubectl("get", "ashlar", "-o", "name");
  assert.deepEqual(found.trim().split(/\s+/u), [
    "nodeclass.ashlar.dev/worker",
    "nodeproof.ashlar.dev/worker-1",
    "rollout.ashlar.dev/first",
  ]);
  const read = async (what: string, path: string): Promise<string> =>
    await lab.kubectl("get", ...what.split(" "), "-o", `jsonpath=${path}`);
  assert.deepEqual(JSON.parse(await read("nclass worker", "{.spec.proof}")), {
    intervalSeconds: 600,
    freshnessSeconds: 3600,
  });
  assert.equal(await read("nodeclass worker", "{.spec.trust.acceptExpiredEk}"), "false");
  assert.deepEqual(JSON.parse(await read("nodeclass worker", "{.spec.quarantine}")), {
    mode: "none",
    maxPercent: 10,
    alsoUnknown: false,
  });
  assert.equal(await read("nroll first", "{.spec.concurrency.nodes} {.spec.paused}"), "1 false");
  assert.deepEqual(JSON.parse(await read("nroll first", "{.spec.drain}")), {
    attempts: 3,
    retrySeconds: 600,
    timeoutSeconds: 900,
    deleteEmptyDirs: false,
    force: false,
    blockedBy: [],
  });
  for (const [kind, columns] of [
    ["nclass", /^NAME +RELEASE +NODES +PROVEN +READY +AGE$/u],
    ["nproof", /^NAME +PROVEN +REASON +RELEASE +NEXT BOOT +CLASS +LAST PROVED$/u],
    ["nroll", /^NAME +CLASS +RELEASE +PHASE +WAVE +DONE +OF +AGE$/u],
  ] as const) {
    assert.match((await lab.kubectl("get", kind)).split("\n", 1)[0] ?? "", columns);
  }
});

const key = { name: "sources", key: "one" };
const WRONG: readonly (readonly [what: string, object: object, says: RegExp])[] = [
  ["no config", nodeClass("x", { config: {} }), /exactly one of config\.butane and config\.secret/u],
  ["two configs", nodeClass("x", { config: { butane: "a", secret: key } }), /exactly one of config\.butane/u],
  ["no source of releases", nodeClass("x", { releases: {} }), /exactly one of releases\.url, a repository/u],
  [
    "pods that leave before a node is asked once more",
    nodeClass("x", { quarantine: { mode: "enforce", evictAfterSeconds: 599 } }),
    /quarantine\.evictAfterSeconds has to be at least proof\.intervalSeconds/u,
  ],
  ["a quarantine of all nodes", nodeClass("x", { quarantine: { maxPercent: 101 } }), /quarantine.maxPercent/u],
  [
    "a check that waits for nothing",
    nodeClass("x", { rollout: { beforeReboot: { annotations: [] } } }),
    /rollout\.beforeReboot\.annotations.*should have at least 1 item/u,
  ],
  [
    "an annotation that cannot be one",
    nodeClass("x", { rollout: { afterReboot: { annotations: ["a b"] } } }),
    /rollout\.afterReboot\.annotations/u,
  ],
  [
    "a check without an end",
    nodeClass("x", { rollout: { afterReboot: { annotations: ["a"], timeoutSeconds: 0 } } }),
    /rollout\.afterReboot\.timeoutSeconds/u,
  ],
  [
    "a repository without a root",
    nodeClass("x", { releases: { url: "https://releases.example.org/" } }),
    /give releases\.root, the repository's release-root\.json/u,
  ],
  [
    "a label that a kubelet may write",
    nodeClass("x", { selector: { "example.org/class": "x" } }),
    /select by labels that no kubelet may write, for example ashlar\.node-restriction/u,
  ],
  ["no label", nodeClass("x", { selector: {} }), /selector.*should have at least 1 propert/u],
  [
    "nobody to trust",
    nodeClass("x", { trust: {} }),
    /trust somebody: name the certificates of TPM makers in trust\.ekRoots/u,
  ],
  [
    "a proof that is too old before the next one",
    nodeClass("x", { proof: { intervalSeconds: 600, freshnessSeconds: 700 } }),
    /freshnessSeconds has to be at least twice proof\.intervalSeconds/u,
  ],
  ["a misspelt member", nodeClass("x", { relaese: "1.0.0" }), /unknown field "(?:spec\.)?relaese"/u],
  [
    "two counts of who may be away",
    rollout("x", { concurrency: { nodes: 1, percent: 10 } }),
    /exactly one of concurrency\.nodes and concurrency\.percent/u,
  ],
  [
    "a wave with a name that is taken",
    rollout("x", { waves: [{ name: "canary", selector: { a: "b" } }], approvedWaves: [] }),
    /canary, rest and control-plane are waves that are always there/u,
  ],
  [
    "a window without a beginning",
    rollout("x", { windows: [{ start: "24:00", durationMinutes: 60 }] }),
    /windows.*start/u,
  ],
  ["a canary on the way back", rollout("x", { reverse: true }), /nobody tries out a way back/u],
  [
    "a gate that asks nothing",
    rollout("x", { gates: [{ name: "health" }] }),
    /say what a gate asks in exactly one of prometheus, webhook and job/u,
  ],
  [
    "a gate that asks two",
    rollout("x", { gates: [{ name: "health", webhook: { server: "a" }, job: { namespace: "a", cronJob: "a" } }] }),
    /say what a gate asks in exactly one/u,
  ],
  [
    "a job before each node",
    rollout("x", { gates: [{ name: "health", before: "node", job: { namespace: "a", cronJob: "a" } }] }),
    /a job runs before each wave/u,
  ],
  [
    "a gate's value that is no number",
    rollout("x", { gates: [{ name: "health", prometheus: { server: "a", query: "up", is: ">", value: "1e3" } }] }),
    /gates.*value/u,
  ],
  [
    "labels that each pod has",
    rollout("x", { drain: { blockedBy: [{}] } }),
    /drain\.blockedBy.*should have at least 1 propert/u,
  ],
  ["an unknown wave", rollout("x", { approvedWaves: ["zone-b"] }), /approvedWaves has to name waves of this Rollout/u],
];

test("each rule refuses what breaks it, in words that say what to do", async (context) => {
  for (const [what, object, says] of WRONG) {
    await context.test(what, async () => assert.match(await refusal(lab.create(object)), says));
  }
});

test("what a Rollout is about does not change", async () => {
  for (const [member, value] of [
    ["class", "other"],
    ["release", "1.2.0"],
  ] as const) {
    const patch = JSON.stringify({ spec: { [member]: value } });
    const said = await refusal(lab.kubectl("patch", "nroll", "first", "--type=merge", "-p", patch));
    assert.match(said, new RegExp(`${member} does not change: pause this Rollout and make another one`, "u"));
  }
});

test("the attempt of a Rollout only rises, and waves that are always there can be approved", async () => {
  const patch = async (spec: object): Promise<string> =>
    await lab.kubectl("patch", "nroll", "first", "--type=merge", "-p", JSON.stringify({ spec }));
  await patch({ attempt: 3, approvedWaves: ["canary", "zone-a", "rest", "control-plane"] });
  assert.match(await refusal(patch({ attempt: 2 })), /attempt only rises/u);
});

test("a pin stays: it can be neither changed nor removed, whatever else is written", async () => {
  const firmware = { "0": DIGEST, "2": DIGEST, "3": DIGEST, "7": DIGEST, programs: [DIGEST] };
  const times = { enrolledAt: "2026-11-29T10:00:00.000Z", resetCount: 4 };
  const pin = { ekSha256: DIGEST, akName: `000b${DIGEST}`, ...times, firmware };
  const write = async (status: object): Promise<string> => await patchStatus("merge", { status });
  await write({ pin, level: "proven" });
  await write({ level: "unknown" });
  for (const change of [
    { ekSha256: "b".repeat(64) },
    { firmware: { "0": "b".repeat(64) } },
    { firmware: { programs: [DIGEST, "b".repeat(64)] } },
    { firmware: { accepted: ["b".repeat(64)] } },
  ]) {
    assert.match(await refusal(write({ pin: change })), /a pin does not change: who means to enrol the node anew/u);
  }
  assert.match(await refusal(write({ pin: null })), /a pin does not change/u);
  const removal = patchStatus("json", [{ op: "remove", path: "/status" }]);
  assert.match(await refusal(removal), /a pin does not change/u);
});

async function patchStatus(type: string, patch: object): Promise<string> {
  const which = ["nproof", "worker-1", "--subresource=status"];
  return await lab.kubectl("patch", ...which, `--type=${type}`, "-p", JSON.stringify(patch));
}

test("the definitions in deploy/crds are all there are", async () => {
  const names = (await lab.kubectl("get", "crd", "-o", "name")).trim().split(/\s+/u);
  const expected = customResourceDefinitions().map(
    ({ metadata }) => `customresourcedefinition.apiextensions.k8s.io/${metadata.name}`,
  );
  assert.deepEqual(names.toSorted(), expected.toSorted());
});
