import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { startSocketService } from "../shared/test-socket-service.ts";
import { readMergeRecord, writeMergeRecord } from "../extensions/merge-record.ts";
import { requestRefresh, wakeRefresher } from "../extensions/refresher-client.ts";
import { TestExtensionNode } from "../extensions/test-extension-node.ts";

/** A node without extensions, on which there is nothing to mount or to merge. */
function makeNode(): TestExtensionNode {
  const node = new TestExtensionNode();
  mkdirSync(join(node.paths.extensions.base, "opt/extensions"), { recursive: true });
  mkdirSync(join(node.paths.extensions.base, "etc"), { recursive: true });
  writeFileSync(join(node.paths.extensions.base, "etc/passwd"), "");
  return node;
}

async function startRefresher({ root, paths }: TestExtensionNode, idleTimeoutMs = 60_000): Promise<ChildProcess> {
  const { refresherSocket: socketPath } = paths;
  const service = {
    module: "refresher/run-refresher.ts",
    run: "runRefresher",
    sockets: { refresher: socketPath },
    root,
  };
  mkdirSync(dirname(socketPath), { recursive: true });
  return await startSocketService({ ...service, idleTimeoutMs });
}

await test("each request has the node looked at anew", async (t) => {
  using node = makeNode();
  // As after the boot: what is missing then is fetched by a unit of this machine otherwise.
  await writeMergeRecord(node.paths.extensions, { merged: [], setAside: [], missing: [] });
  const refresher = await startRefresher(node);
  t.after(() => refresher.kill("SIGKILL"));
  const missing = async (): Promise<string[]> =>
    (await readMergeRecord(node.paths.extensions)).missing.map(({ name }) => name);
  await Promise.all([requestRefresh(node.paths), requestRefresh(node.paths)]);
  assert.deepEqual(await missing(), []);
  node.declare("extensions:\n  - {name: kubernetes, version: v1.33.*, tier: community}\n");
  await requestRefresh(node.paths);
  assert.deepEqual(await missing(), ["kubernetes"]);
});

await test("why nothing can be refreshed is told; the next request is answered", async (t) => {
  using node = makeNode();
  await writeMergeRecord(node.paths.extensions, { merged: [], setAside: [], missing: [] });
  const { bootId } = node.paths;
  const refresher = await startRefresher(node);
  t.after(() => refresher.kill("SIGKILL"));
  const text = node.bootId;
  rmSync(bootId);
  await assert.rejects(requestRefresh(node.paths), { code: "failed", message: /ashlar-refresher\.service/u });
  writeFileSync(bootId, text);
  await requestRefresh(node.paths);
});

await test("a refresher that was only woken ends by itself; none that answers is an error", async () => {
  using node = makeNode();
  const refresher = await startRefresher(node, 300);
  wakeRefresher(node.paths);
  const [status] = await once(refresher, "exit");
  assert.equal(status, 0);
  wakeRefresher(node.paths);
  await assert.rejects(requestRefresh(node.paths), { code: "unavailable", hint: /ashlar-refresher\.socket/u });
});
