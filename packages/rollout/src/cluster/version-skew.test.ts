import assert from "node:assert/strict";
import { test } from "node:test";
import { holdsKubelet, kubeletOfRelease, versionSkew } from "./version-skew.ts";

const FROM = "the extension kubernetes";

test("a kubelet is of the API server's minor version, or up to three older", () => {
  const cases: readonly (readonly [kubelet: string, server: string | undefined, why: RegExp | undefined])[] = [
    ["v1.33.5", "v1.33.4", undefined],
    ["v1.33.4", "v1.36.0", undefined],
    ["v1.36.2", "v1.36.0-rc.1", undefined],
    ["1.33.5-1.1", "v1.34.1", undefined],
    ["v1.33.4+k3s1", "v1.33.4+k3s1", undefined],
    ["v1.33.*", "v1.33.4", undefined],
    [
      "v1.34.0",
      "v1.33.4",
      /^the kubelet v1\.34\.0 of the extension kubernetes would be newer than the API server, v1\.33\.4: /u,
    ],
    ["v1.34.*", "v1.33.4", / would be newer than the API server/u],
    ["v1.100.0", "v1.99.0", / would be newer /u],
    ["v1.32.9", "v1.36.0", / would be 4 minor versions older than the API server, v1\.36\.0, and 3 are allowed$/u],
    ["v2.0.0", "v1.36.0", / has another major version /u],
    ["v1.33.5", undefined, /: the API server has not said its version yet$/u],
    ["v1.33.5", "unknown", /: expected the API server to have a version such as v1\.33\.5, found unknown$/u],
    ["v1.*", "v1.33.4", /: expected a version such as v1\.33\.5$/u],
    ["latest", "v1.33.4", /: expected a version such as v1\.33\.5$/u],
    ["v1.33x", "v1.33.4", /: expected a version such as /u],
  ];
  for (const [version, server, why] of cases) {
    const found = versionSkew({ from: FROM, version }, server);
    if (why === undefined) assert.equal(found, undefined, `${version} ${server}`);
    else assert.match(found ?? "", why, `${version} ${server}`);
  }
});

test("a release's manifest may name one, an extension is one by its name", () => {
  const packages = [
    { name: "bash", version: "5.2" },
    { name: "kubelet", version: "1.33.5-1.1" },
  ];
  assert.deepEqual(kubeletOfRelease({ version: "1.1.0", packages }), {
    from: "the release 1.1.0",
    version: "1.33.5-1.1",
  });
  assert.equal(kubeletOfRelease({ version: "1.1.0", packages: packages.slice(0, 1) }), undefined);
  assert.equal(kubeletOfRelease({ version: "1.1.0" }), undefined);
  assert.deepEqual(["kubernetes", "k3s", "containerd"].map(holdsKubelet), [true, true, false]);
});
