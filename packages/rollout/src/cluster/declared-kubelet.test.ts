import assert from "node:assert/strict";
import { test } from "node:test";
import type { KnownExtension } from "@ashlar/identity";
import { declaredKubelet } from "./declared-kubelet.ts";

const known = (version: string, change: Partial<KnownExtension> = {}): KnownExtension => ({
  kind: "sysext",
  name: "kubernetes",
  version,
  tier: "community",
  rootHash: "0".repeat(64),
  ...change,
});

function configOf(text: string): Uint8Array {
  const source = `data:,${encodeURIComponent(text)}`;
  const files = [{ path: "/etc/ashlar/extensions.yaml", contents: { source } }];
  return Buffer.from(JSON.stringify({ ignition: { version: "3.4.0" }, storage: { files } }));
}

const declaring = (version: string, name: string = "kubernetes"): Uint8Array =>
  configOf(`extensions:\n  - {name: ${name}, version: "${version}", tier: community}\n`);

test("the newest published version that the class allows", () => {
  const all = [
    known("v1.33.4"),
    known("v1.33.10"),
    known("v1.33.5"),
    known("v1.33.11", { withdrawn: { reason: "it is broken" } }),
    known("v1.34.0"),
    known("v1.33.99", { name: "k3s" }),
    known("v1.33.98", { kind: "confext" }),
  ];
  const of = (version: string): string | undefined => declaredKubelet(declaring(version), all)?.version;
  assert.equal(of("v1.33.*"), "v1.33.10");
  assert.equal(of("v1.33.4"), "v1.33.4");
  assert.equal(of("v1.3?.*"), "v1.34.0");
  assert.equal(of("v1.35.*"), "v1.35.*", "nothing of it is published yet: its minor version is known");
});

test("who declares no kubelet has none, and a config that cannot be read says nothing here", () => {
  assert.equal(declaredKubelet(declaring("2.1", "containerd"), []), undefined);
  assert.equal(declaredKubelet(Buffer.from('{"ignition":{"version":"3.4.0"}}'), []), undefined);
  assert.equal(declaredKubelet(configOf("extensions: 7"), []), undefined);
});
