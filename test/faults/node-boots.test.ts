/** What a boot reads, and what root on a running node cannot bring through it: one virtual machine, booted several times. */
import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, test } from "node:test";
import { run } from "@ashlar/host";
import { findEffects, plantInputs } from "@ashlar/lab";
import { differencesOf, EXAMPLE, NODE, NodeLab } from "../e2e/node-lab.ts";
import { ashlar, OUT } from "../e2e/world.ts";

const MINUTES = 60_000;
const NAME = "faults-node-boots";
const OTHER = join(OUT, "other.bu");
const node = new NodeLab(NAME);

after(async () => await rm(OTHER, { force: true }));

async function root(script: string): Promise<{ readonly status: number; readonly output: string }> {
  return await node.root(script);
}

test(
  "everything that is planted and decides about the next boot is named before it",
  { timeout: 20 * MINUTES },
  async () => await node.assertPlantedIsNamed(),
);

test(
  "a node boots and proves from the configuration that it remembers, and nothing that was planted is in effect",
  { timeout: 60 * MINUTES },
  async () => {
    await ashlar("lab", "stop", NODE, "--name", NAME);
    await node.lab.start(NODE, { withoutConfig: true, timeoutMs: 15 * MINUTES });
    assert.match((await root("journalctl -b -u ashlar-config.service -o cat")).output, /no source answers/u);
    const console = await readFile(node.lab.nodes[0]?.consolePath ?? "", "utf8");
    assert.match(console, /ashlar: the firmware variable SystemdOptions-8cf2644b-\S+ is set/u);
    assert.match(console, /ashlar: removed; restarting without it/u);
    assert.deepEqual(await findEffects(node.lab, NODE, node.harmless), []);
    const { fleet } = await node.prove();
    assert.equal(fleet.verdict, "proven", differencesOf(fleet).join("\n"));
  },
);

test("a remembered configuration that root has changed is applied, and named", { timeout: 60 * MINUTES }, async () => {
  const { output } = await root(
    `cd /var/lib/ashlar/config && printf '%s' '{"ignition":{"version":"3.3.0"},"passwd":{"users":[{"name":"core","sshAuthorizedKeys":["'"$(sed 's/^//' /home/core/.ssh/authorized_keys.d/ignition | tail -n 1)"'"]}]}}' > source && sync && echo done`,
  );
  assert.equal(output, "done");
  await plantInputs(node.lab, NODE, node.measured);
  await ashlar("lab", "stop", NODE, "--name", NAME);
  await ashlar("lab", "start", NODE, "--name", NAME, "--without-config");
  const { status, fleet } = await node.prove();
  assert.equal(status, 1);
  const found = differencesOf(fleet).join("\n");
  assert.match(found, /PCR 13|config/u);
  for (const { mismatch = "" } of node.measured) assert.match(found, new RegExp(mismatch, "u"));
});

test(
  "a changed source wins over what the node remembers; the old declaration is then a mismatch",
  { timeout: 60 * MINUTES },
  async () => {
    const text = await readFile(EXAMPLE, "utf8");
    await writeFile(OTHER, text.replace("vm.overcommit_memory = 1", "vm.overcommit_memory = 0"));
    await ashlar("lab", "stop", NODE, "--name", NAME);
    await ashlar("lab", "start", NODE, "--name", NAME, "--config", OTHER);
    // Nobody could log in with the changed configuration. What was measured of the ESP goes with the next boot.
    for (const { undo = "true" } of node.measured) assert.equal((await root(undo)).status, 0);
    await ashlar("lab", "restart", NODE, "--name", NAME);
    assert.equal((await root("cat /proc/sys/vm/overcommit_memory")).output, "0");
    assert.equal((await node.prove()).fleet.verdict, "proven");
    const outdated = await node.prove("--config", EXAMPLE);
    assert.equal(outdated.status, 1);
    assert.match(differencesOf(outdated.fleet)[0] ?? "", /class/u);
  },
);

test("a node whose configuration cannot be measured does not boot", { timeout: 60 * MINUTES }, async () => {
  await ashlar("lab", "stop", NODE, "--name", NAME);
  const tpmState = join(dirname(node.lab.nodes[0]?.diskPath ?? ""), "tpm");
  // Without the SHA-256 bank there is nothing to extend a word into.
  await run("swtpm_setup", ["--tpm2", "--reconfigure", "--pcr-banks", "sha1", "--tpmstate", tpmState]);
  await ashlar("lab", "start", NODE, "--name", NAME, "--no-wait");
  const stopped = await waitForConsole(/ashlar: ashlar-config\.service failed/u);
  assert.ok(stopped, (await node.lab.consoleTail(NODE, 30)).join("\n"));
  assert.equal((await node.prove()).fleet.verdict, "unknown");
  await ashlar("lab", "stop", NODE, "--name", NAME, "--force");
});

async function waitForConsole(pattern: RegExp): Promise<boolean> {
  for (let waited = 0; waited < 300; waited++) {
    if ((await node.lab.consoleTail(NODE, 200)).some((line) => pattern.test(line))) return true;
    await sleep(1000);
  }
  return false;
}
