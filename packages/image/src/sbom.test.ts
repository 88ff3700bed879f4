import assert from "node:assert/strict";
import { test } from "node:test";
import { testRelease } from "@ashlar/protocol/test-fixtures";
import { writeSbom } from "./sbom.ts";

test("the bill of materials is a CycloneDX one that names each package", () => {
  const packages = [
    { name: "systemd", version: "257.8-1~deb13u2", architecture: "amd64" },
    { name: "libstdc++6", version: "14.2.0-19", architecture: "amd64" },
  ];
  const text = writeSbom({ ...testRelease("1.0.0"), packages });
  const bom: { bomFormat: string; specVersion: string; components: { name: string; version: string }[] } =
    JSON.parse(text);
  assert.deepEqual([bom.bomFormat, bom.specVersion], ["CycloneDX", "1.6"]);
  assert.deepEqual(
    bom.components.map(({ name, version }) => `${name} ${version}`).toSorted(),
    packages.map(({ name, version }) => `${name} ${version}`).toSorted(),
  );
  assert.equal(writeSbom({ ...testRelease("1.0.0"), packages: packages.toReversed() }), text);
});
