import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeclaredExtension } from "@ashlar/declaration";
import { chooseCandidates } from "./choose-candidates.ts";
import { type ComponentState, declarationKey } from "../extensions/component-state.ts";

const BOOT = "boot-2";
const STORED = ["v1.33.2", "v1.33.10", "v1.33.5", "v1.34.0"];
const PUBLISHED: DeclaredExtension = {
  kind: "sysext",
  name: "kubernetes",
  pattern: "v1.33.*",
  tier: "community",
  updates: "automatic",
  source: { type: "repository" },
};
const LINKED: DeclaredExtension = {
  ...PUBLISHED,
  source: {
    type: "file",
    path: "/opt/extensions/kubernetes/kubernetes-v1.33.2-x86-64.raw",
    url: "https://extensions.example/k.raw",
    hash: null,
    updatesUrl: null,
  },
};

function choose(
  extension: DeclaredExtension,
  state?: Partial<ComponentState>,
  failed: readonly string[] = [],
): readonly string[] {
  const component = { declaration: declarationKey(extension), current: "v1.33.5", former: null, trial: null, ...state };
  const failures = failed.map((version) => ({ name: "kubernetes", version, at: "", check: "", message: "" }));
  const components = state === undefined ? {} : { kubernetes: component };
  return chooseCandidates(extension, STORED, { components, failures }, BOOT);
}

test("without a decision: the linked version, else the newest that the pattern allows", () => {
  assert.deepEqual(choose(PUBLISHED), ["v1.33.10", "v1.33.5", "v1.33.2"]);
  assert.deepEqual(choose(LINKED), ["v1.33.2", "v1.33.10", "v1.33.5"]);
  assert.deepEqual(choose({ ...PUBLISHED, pattern: "v1.34.0" }), ["v1.34.0"]);
  assert.deepEqual(choose({ ...PUBLISHED, pattern: "v1.32.*" }), []);
});

test("a version that was given up comes last", () => {
  assert.deepEqual(choose(PUBLISHED, undefined, ["v1.33.10"]), ["v1.33.5", "v1.33.2", "v1.33.10"]);
});

test("what an update has led to stays, and the one before stands in for it", () => {
  assert.deepEqual(choose(LINKED, { current: "v1.33.5", former: "v1.33.2" }), ["v1.33.5", "v1.33.2", "v1.33.10"]);
  assert.deepEqual(choose(PUBLISHED, { current: "v1.33.2", former: null })[0], "v1.33.2");
});

test("another declaration is not bound by it", () => {
  const other = declarationKey({ ...LINKED, pattern: "v1.32.*" });
  assert.deepEqual(choose(LINKED, { declaration: other, current: "v1.33.5" })[0], "v1.33.2");
});

test("a trial counts in its own boot only", () => {
  const trial = { version: "v1.33.10", bootId: BOOT, attempts: 1 };
  assert.deepEqual(choose(PUBLISHED, { current: "v1.33.5", trial }), ["v1.33.10", "v1.33.5", "v1.33.2"]);
  const interrupted = { ...trial, bootId: "boot-1" };
  assert.deepEqual(choose(PUBLISHED, { current: "v1.33.5", trial: interrupted }), ["v1.33.5", "v1.33.2"]);
});
