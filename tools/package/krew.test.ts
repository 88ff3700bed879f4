import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { krewManifest } from "./krew.ts";

test("Krew's manifest: the plugin's name, a version with v, one platform, the archive with its digest", () => {
  const release = { version: "1.2.0", url: "https://example.org/a.tar.gz", sha256: "a".repeat(64) };
  const { kind, metadata, spec } = parse(krewManifest(release));
  assert.deepEqual([kind, metadata, spec.version], ["Plugin", { name: "ashlar" }, "v1.2.0"]);
  const selector = { matchLabels: { os: "linux", arch: "amd64" } };
  assert.deepEqual(spec.platforms, [{ selector, uri: release.url, sha256: release.sha256, bin: "ashlar" }]);
  // Krew refuses a manifest without it, and its index longer ones.
  assert.ok(spec.shortDescription.length > 0 && spec.shortDescription.length <= 50);
});
