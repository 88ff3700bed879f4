import assert from "node:assert/strict";
import { test } from "node:test";
import { knownExtensionOf, type KnownExtension } from "@ashlar/identity";
import { testExtension } from "@ashlar/protocol/test-fixtures";
import type { DeclaredNode } from "@ashlar/verifier/declared";
import { chooseComponent } from "./choose-component.ts";

const KNOWN: readonly KnownExtension[] = [
  ...["v1.33.2", "v1.33.10", "v1.33.9", "v1.34.0"].map((version) => testExtension("kubernetes", version)),
  testExtension("zfs", "2"),
]
  .map(knownExtensionOf)
  .concat({ ...knownExtensionOf(testExtension("kubernetes", "v1.33.11")), withdrawn: { reason: "it hangs" } });

function node(name: string, version: string): DeclaredNode {
  const text = `extensions: [{name: kubernetes, version: "${version}", tier: community}]`;
  const files = [{ path: "/etc/ashlar/extensions.yaml", contents: { source: `data:,${encodeURIComponent(text)}` } }];
  const nodeConfig = Buffer.from(JSON.stringify({ storage: { files } }));
  return { name, url: "https://127.0.0.1:1", classConfig: new Uint8Array(), nodeConfig };
}

const choose = (nodes: readonly DeclaredNode[], component: string, wanted?: string): string =>
  chooseComponent(nodes, KNOWN, component, wanted).version;

test("the newest that all nodes allow and nobody has withdrawn, or the one that is named", () => {
  const nodes = [node("a", "v1.33.*"), node("b", "v1.*")];
  assert.equal(choose(nodes, "kubernetes"), "v1.33.10");
  assert.equal(choose(nodes.slice(1), "kubernetes"), "v1.34.0");
  assert.equal(choose(nodes, "kubernetes", "v1.33.2"), "v1.33.2");
});

test("what may not be is refused, and why", () => {
  const nodes = [node("a", "v1.33.*"), node("b", "v1.*")];
  const refused: readonly [string, string | undefined, string, RegExp][] = [
    ["zfs", undefined, "usage", /that a declares \(kubernetes\), found zfs/u],
    ["kubernetes", "v1.34.0", "invalid", /that a allows \(v1\.33\.\*\), found v1\.34\.0/u],
    ["kubernetes", "v1.33.11", "invalid", /withdrawn: it hangs/u],
    ["kubernetes", "v1.33.3", "not-found", /found v1\.33\.2, v1\.33\.9, v1\.33\.10, v1\.33\.11, v1\.34\.0$/u],
  ];
  for (const [component, wanted, code, message] of refused) {
    assert.throws(() => choose(nodes, component, wanted), { code, message });
  }
  assert.throws(() => choose([node("a", "v1.33.*"), node("b", "v1.34.*")], "kubernetes"), {
    code: "not-found",
    message: /kubernetes v1\.33\.\* and v1\.34\.\* to be published/u,
  });
  assert.throws(() => chooseComponent(nodes, [], "kubernetes", "v1.33.2"), { message: /found no version$/u });
});
