import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { NodeClassObject, NodeClassSpec, SourceObject } from "@ashlar/kube";
import { makePlan, planKey, type Sources } from "./class-plan.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-class-plan-"));
after(() => rmSync(directory, { recursive: true }));
const signal = new AbortController().signal;

const SPEC: NodeClassSpec = {
  selector: { "ashlar.node-restriction.kubernetes.io/class": "worker" },
  config: { butane: "variant: flatcar\nversion: 1.1.0\n" },
  release: "1.0.0",
  releases: { manifests: "manifests" },
  trust: { ekRoots: { name: "trust", key: "makers.pem" }, acceptExpiredEk: false },
  proof: { intervalSeconds: 600, freshnessSeconds: 3600 },
  quarantine: { mode: "none", maxPercent: 10, alsoUnknown: false },
};

function classOf(change: Partial<NodeClassSpec> = {}): NodeClassObject {
  const spec = { ...SPEC, ...change };
  return { name: "worker", uid: "uid", resourceVersion: "1", generation: 1, spec, status: {} };
}

function source(name: string, entries: Readonly<Record<string, string>>, resourceVersion: string = "1"): SourceObject {
  const bytes = Object.entries(entries).map(([key, text]): [string, Uint8Array] => [key, Buffer.from(text)]);
  return { name, uid: name, resourceVersion, entries: new Map(bytes) };
}

function sources(secrets: readonly SourceObject[], configMaps: readonly SourceObject[]): Sources {
  const byName = (list: readonly SourceObject[]): ReadonlyMap<string, SourceObject> =>
    new Map(list.map((each) => [each.name, each]));
  return { secrets: byName(secrets), configMaps: byName(configMaps) };
}

const MAPS = [source("trust", { "makers.pem": "no certificate" }), source("manifests", {})];
const FROM_SECRET = { config: { secret: { name: "classes", key: "worker.bu" } } };

test("a class that cannot be used says what is missing, and leaves no file behind", async () => {
  const cases: readonly (readonly [Partial<NodeClassSpec>, Sources, RegExp])[] = [
    [{}, sources([], []), /^expected the ConfigMap trust in the operator's namespace, found none$/u],
    [
      {},
      sources([], [source("trust", { other: "" })]),
      /^expected the entry makers\.pem in the ConfigMap trust, found other$/u,
    ],
    [{}, sources([], MAPS.slice(0, 1)), /^expected the ConfigMap manifests /u],
    [{}, sources([], MAPS), /^expected the manifest of release 1\.0\.0, found none$/u],
    [FROM_SECRET, sources([], MAPS), /^expected the Secret classes /u],
    [
      FROM_SECRET,
      sources([source("classes", {})], MAPS),
      /^expected the entry worker\.bu in the Secret classes, found none$/u,
    ],
    [
      { config: { butane: "variant: flatcar\nversion: 1.1.0\nstorage: 1\n" } },
      sources([], MAPS),
      /^the Butane file of NodeClass worker: .*storage/u,
    ],
    [
      {
        config: {
          butane:
            "variant: flatcar\nversion: 1.1.0\nstorage:\n  files:\n    - path: /a\n      contents: { local: a }\n",
        },
      },
      sources([], MAPS),
      /^the Butane file of NodeClass worker: /u,
    ],
  ];
  for (const [change, given, message] of cases) {
    await assert.rejects(makePlan(classOf(change), given, directory, signal), { message });
  }
  await assert.rejects(
    makePlan({ ...classOf(), spec: undefined }, sources([], MAPS), directory, signal),
    /this version/u,
  );
  assert.deepEqual(readdirSync(directory), []);
});

test("a class is another one when it changes, or anything that it refers to; and only then", () => {
  const given = sources([source("classes", {})], MAPS);
  const key = planKey(classOf(FROM_SECRET), given);
  assert.equal(planKey({ ...classOf(FROM_SECRET), resourceVersion: "2" }, given), key);
  assert.equal(planKey(classOf(FROM_SECRET), sources([source("classes", {}), source("other", {})], MAPS)), key);
  const changed = [
    planKey({ ...classOf(FROM_SECRET), generation: 2 }, given),
    planKey(classOf(FROM_SECRET), sources([source("classes", {}, "2")], MAPS)),
    planKey(
      classOf(FROM_SECRET),
      sources([source("classes", {})], [source("trust", {}, "2"), source("manifests", {})]),
    ),
    planKey(classOf(FROM_SECRET), sources([source("classes", {})], MAPS.slice(0, 1))),
    planKey(classOf(FROM_SECRET), sources([], MAPS)),
  ];
  assert.equal(new Set([key, ...changed]).size, changed.length + 1);
});
