import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { needs } from "@ashlar/base/test-needs";
import { HOST_PACKAGES } from "@ashlar/cli";
import { controlFile, debianVersion } from "./control.ts";

test("the control file: what it runs with is needed, what builds images is suggested, what tests need is not named", () => {
  const control = controlFile("1.2.0", 300, HOST_PACKAGES);
  assert.match(control, /^Package: ashlar\nVersion: 1\.2\.0\nArchitecture: amd64\n/u);
  assert.match(control, /\nDepends: libatomic1, libc6 \(>= 2\.28\), libgcc-s1, libstdc\+\+6\n/u);
  assert.match(control, /\nSuggests: .*\bmmdebstrap\b.*\bqemu-system-x86\b.*\n/u);
  assert.doesNotMatch(control, /chromium|groff/u);
  assert.match(control, /\nDescription: [^\n]+\n(?: [^\n]+\n)+$/u);
});

test("a pre-release is older than its release, as dpkg sees it", { skip: needs("dpkg") }, () => {
  const { status } = spawnSync("dpkg", [
    "--compare-versions",
    debianVersion("1.0.0-rc.1"),
    "lt",
    debianVersion("1.0.0"),
  ]);
  assert.equal(status, 0);
});
