import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { withTemporaryDirectory } from "@ashlar/host";
import { leaveOut, withoutSetId } from "./stage-recipe.ts";

test("what a recipe leaves out of its packages, and a pattern that fits nothing", async () => {
  await withTemporaryDirectory(async (tree) => {
    for (const path of ["usr/lib/cni/bridge", "usr/lib/cni/dhcp", "usr/lib/cni/vlan", "other/vlan"]) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), "");
    }
    symlinkSync("../../../other", join(tree, "usr/lib/cni/elsewhere"));
    await leaveOut({ name: "cni", leaveOut: ["/usr/lib/cni/{dhcp,vlan}", "/usr/lib/*/else*"] }, tree);
    assert.deepEqual(readdirSync(join(tree, "usr/lib/cni")), ["bridge"]);
    assert.deepEqual(readdirSync(join(tree, "other")), ["vlan"]);
    await assert.rejects(leaveOut({ name: "cni", leaveOut: ["/usr/lib/cni/dhcp"] }, tree), {
      code: "invalid",
      message: /recipe cni: expected files of packages that fit \/usr\/lib\/cni\/dhcp, found none/u,
    });
  });
});

test("nobody becomes root by a recipe's programs", async () => {
  await withTemporaryDirectory(async (tree) => {
    for (const [name, mode] of [
      ["mount", 0o4755],
      ["write", 0o2755],
      ["plain", 0o750],
    ] as const) {
      writeFileSync(join(tree, name), "");
      chmodSync(join(tree, name), mode);
    }
    assert.deepEqual((await withoutSetId(tree)).toSorted(), ["/mount", "/write"]);
    const modes = ["mount", "write", "plain"].map((name) => statSync(join(tree, name)).mode & 0o7777);
    assert.deepEqual(modes, [0o755, 0o755, 0o750]);
  });
});
