import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { TestExtensionNode } from "../../extensions/test-extension-node.ts";
import { checkExtensions, rememberExtensions } from "./check-extensions.ts";

const DECLARED =
  "extensions:\n  - {name: tools, version: v1, tier: opt-in}\n  - {name: other, version: v1, tier: opt-in}\n";

test("what was merged in the last healthy boot must be merged, as long as it is declared", async () => {
  using node = new TestExtensionNode();
  const { paths } = node;
  await rememberExtensions(paths);
  assert.ok(!existsSync(join(paths.extensions.state, "last-healthy.json")), "a node without extensions keeps no file");
  node.declare(DECLARED);
  const image = node.store({ name: "tools", version: "v1", files: { "usr/bin/new-in-base": "" } });
  await node.apply();
  // The other one has never been here.
  await checkExtensions(paths);
  await rememberExtensions(paths);

  node.reboot("boot-2");
  node.write("base/usr/bin/new-in-base", "");
  await node.apply();
  await assert.rejects(checkExtensions(paths), /tools: it would hide \/usr\/bin\/new-in-base/u);
  rmSync(image);
  await node.apply();
  await assert.rejects(checkExtensions(paths), /tools: no image/u);
  node.declare("extensions: []\n");
  await checkExtensions(paths);
});
