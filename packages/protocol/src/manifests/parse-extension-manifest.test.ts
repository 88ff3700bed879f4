import assert from "node:assert/strict";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import fc from "fast-check";
import { type ExtensionManifest, NO_BEHAVIOUR } from "./extension-manifest.ts";
import { parseExtensionManifest } from "./parse-extension-manifest.ts";

const digest = "ab".repeat(32);
const MANIFEST: ExtensionManifest = {
  schema: "ashlar.extension/v1",
  kind: "sysext",
  name: "kubernetes",
  version: "v1.33.2",
  architecture: "x86-64",
  tier: "community",
  host: { id: "ashlar", level: "1.0" },
  image: { sizeBytes: 4096, sha256: digest, rootHash: digest, certificateSha256: digest },
  behaviour: { ...NO_BEHAVIOUR, start: ["kubelet.service"], healthCheck: "/usr/lib/ashlar/health.d/kubernetes" },
  packages: [{ name: "k8s.io/kubernetes", version: "v1.33.2", architecture: "amd64" }],
  files: [{ type: "file", path: "/usr/bin/kubelet", sizeBytes: 5, sha256: digest }],
};

test("a manifest survives being written and read", () => {
  assert.deepEqual(parseExtensionManifest(JSON.stringify(MANIFEST)), MANIFEST);
});

test("a wrong member is named by its path", () => {
  const absurd: readonly (readonly [string, unknown])[] = [
    ["schema", "ashlar.extension/v2"],
    ["kind", "portable"],
    ["name", "../kubernetes"],
    ["name", "x".repeat(64)],
    ["version", "v1-33"],
    ["architecture", "arm64"],
    ["tier", "other"],
    ["host.id", ""],
    ["host.level", 1],
    ["image.sizeBytes", 0],
    ["image.sha256", "x"],
    ["image.rootHash", digest.toUpperCase()],
    ["image.certificateSha256", null],
    ["behaviour.replaces", ["usr/bin/kubelet"]],
    ["behaviour.restart", ["kubelet"]],
    ["behaviour.reload", Array.from({ length: 1001 }, () => "a.service")],
    ["behaviour.start", ["../a.service"]],
    ["behaviour.healthCheck", "/usr/bin/true"],
    ["packages", [{}]],
    ["files", [{ type: "directory", path: "/usr" }]],
    ["surplus", 1],
  ];
  for (const [place, value] of absurd) {
    const [outer = "", inner] = place.split(".");
    const copy: Record<string, unknown> = { ...MANIFEST };
    copy[outer] = inner === undefined ? value : { ...(copy[outer] as object), [inner]: value };
    assert.throws(
      () => parseExtensionManifest(JSON.stringify(copy)),
      (error) => error instanceof AshlarError && error.code === "malformed" && error.message.includes(place),
      place,
    );
  }
  assert.throws(() => parseExtensionManifest(`${JSON.stringify(MANIFEST)}{}`), { code: "malformed" });
  assert.throws(() => parseExtensionManifest(" ".repeat(50 * 1024 * 1024)), { code: "limit" });
});

test("anything else is a manifest or an AshlarError", () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(MANIFEST)), fc.jsonValue(), (member, value) => {
      try {
        parseExtensionManifest(JSON.stringify({ ...MANIFEST, [member]: value }));
      } catch (error) {
        assert.ok(error instanceof AshlarError, String(error));
      }
    }),
  );
});
