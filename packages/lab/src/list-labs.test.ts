import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { test } from "node:test";
import { withTemporaryDirectory } from "@ashlar/host";
import { labPaths } from "./lab-paths.ts";
import { summarizeLabs } from "./list-labs.ts";

test("a list says how large each lab is, and which cluster it has; half of a lab is in it, too", async () => {
  await withTemporaryDirectory(async (directory) => {
    const before = process.env["XDG_STATE_HOME"];
    process.env["XDG_STATE_HOME"] = directory;
    try {
      assert.deepEqual(summarizeLabs(), []);
      await writeState("plain", '{"nodes":[{}]}');
      await writeState("cluster", '{"nodes":[{},{}],"cluster":{"version":"v1.33.4"}}');
      await writeState("half", '{"nodes":[');
      await writeState("other", '{"nodes":3,"cluster":[null]}');
      assert.deepEqual(summarizeLabs(), [
        { name: "cluster", nodes: 2, kubernetes: "v1.33.4" },
        { name: "half", nodes: null, kubernetes: null },
        { name: "other", nodes: null, kubernetes: null },
        { name: "plain", nodes: 1, kubernetes: null },
      ]);
    } finally {
      if (before === undefined) delete process.env["XDG_STATE_HOME"];
      else process.env["XDG_STATE_HOME"] = before;
    }
  });
});

async function writeState(name: string, text: string): Promise<void> {
  const { state } = labPaths(name);
  await mkdir(dirname(state), { recursive: true });
  await writeFile(state, text);
}
