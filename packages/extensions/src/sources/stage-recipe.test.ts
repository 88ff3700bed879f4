import assert from "node:assert/strict";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { withTemporaryDirectory } from "@ashlar/host";
import { leaveOut } from "./stage-recipe.ts";

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
