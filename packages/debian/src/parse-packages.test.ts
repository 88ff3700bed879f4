import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { needs } from "@ashlar/base/test-needs";
import { parsePackages } from "./debian-trees.ts";

test("packages name what they were built from, as dpkg itself says it", { skip: needs("dpkg-query") }, () => {
  // As in the hook that writes the list of an image: this machine's dpkg stands for the tree's.
  const format =
    "--showformat=${binary:Package}\\t${Version}\\t${Architecture}\\t${source:Package}\\t${source:Version}\\n";
  const { stdout } = spawnSync("dpkg-query", ["--show", format, "dpkg", "libc6"], { encoding: "utf8" });
  const [dpkg, libc] = parsePackages(stdout);
  assert.equal(dpkg?.name, "dpkg");
  assert.deepEqual(dpkg?.source, { name: "dpkg", version: dpkg?.version });
  assert.equal(libc?.name, "libc6");
  assert.equal(libc?.source.name, "glibc");
  assert.match(libc?.source.version ?? "", /^\d/u);
});
