import assert from "node:assert/strict";
import { test } from "node:test";
import { rolloutSkew } from "./rollout-skew.ts";

const packages = (version: string): readonly { name: string; version: string; architecture: string }[] => [
  { name: "kubelet", version, architecture: "amd64" },
];
const RELEASES = [
  { version: "1.0.0" },
  { version: "1.1.0", packages: packages("1.33.4-1.1") },
  { version: "1.2.0", packages: packages("1.35.0-1.1") },
];
const declared = (version: string): { from: string; version: string } => ({ from: "the class", version });

test("the release's kubelet and the class's own are held against the API server", () => {
  const at = (target: string, own?: string, server: string | undefined = "v1.34.0"): string | undefined =>
    rolloutSkew(target, { releases: RELEASES, kubelet: own === undefined ? undefined : declared(own) }, () => server);
  assert.equal(at("1.1.0"), undefined);
  assert.match(at("1.2.0") ?? "", /^the kubelet 1\.35\.0-1\.1 of the release 1\.2\.0 would be newer /u);
  assert.equal(at("1.0.0", "v1.34.2"), undefined);
  assert.match(at("1.0.0", "v1.35.*") ?? "", /^the kubelet v1\.35\.\* of the class would be newer /u);
  assert.match(at("1.1.0", "v1.30.0") ?? "", /4 minor versions older/u);
});

test("the API server is asked only where a kubelet is part of it, and waited for then", () => {
  const never = (): string | undefined => assert.fail("nobody needs it");
  assert.equal(rolloutSkew("1.0.0", { releases: RELEASES, kubelet: undefined }, never), undefined);
  const unknown = (): undefined => undefined;
  assert.match(
    rolloutSkew("1.1.0", { releases: RELEASES, kubelet: undefined }, unknown) ?? "",
    /not said its version/u,
  );
});
