import assert from "node:assert/strict";
import { Resolver } from "node:dns/promises";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { isPortFree, runtimeDirectory } from "@ashlar/host";
import { pinOfOperatorPem } from "@ashlar/protocol";
import { labDown, labUp, listLabs, openLab } from "./index.ts";
import { labPaths } from "./lab-paths.ts";
import { machineProcesses } from "./machine.ts";
import { hasCode, missingTools as missing, withLabs } from "./test-labs.ts";

/*
 * Real machines with real TPMs, whose disks are empty: the firmware starts, and nothing more. What a node does is shown by
 * the end-to-end tests.
 */

test("an interrupted start leaves no process, no directory and no port", { skip: missing }, async () => {
  await withLabs(async (options) => {
    const interruption = new AbortController();
    const ports: number[] = [];
    const up = labUp({
      ...options,
      nodes: 2,
      timeoutMs: 60_000,
      signal: interruption.signal,
      onProgress: (progress) => {
        if (!("node" in progress) || progress.node !== "node-2") return;
        const interrupt = async (): Promise<void> => {
          ports.push(...(await openLab("one")).nodes.map((node) => node.sshPort));
          interruption.abort();
        };
        void interrupt();
      },
    });
    await assert.rejects(up, hasCode("interrupted"));
    assert.equal(ports.length, 2);
    for (const port of ports) assert.ok(await isPortFree(port));
    assert.ok(!(await readdir(runtimeDirectory())).includes(labPaths("one").runtime));
  });
});

test("a lab that failed to come up can be looked at, changed and removed", { skip: missing }, async () => {
  await withLabs(async (options) => {
    await assert.rejects(labUp(options), (error: unknown) => {
      assert.ok(error instanceof AshlarError && error.code === "unavailable");
      assert.match(error.message, /node-1 did not come up: its agent has not answered .*console\.log$/su);
      return true;
    });
    await assert.rejects(labUp(options), hasCode("conflict"), "the name is taken");
    const lab = await openLab("one");
    const [node] = await lab.status();
    assert.equal(node?.state, "running");
    assert.equal(node?.phase, "firmware");
    assert.deepEqual(Buffer.from(lab.nodes[0]!.classConfig).toString(), '{"ignition":{"version":"3.3.0"}}');

    await assert.rejects(labUp({ ...options, name: "two" }), hasCode("unavailable"));
    const other = await openLab("two");
    assert.notEqual(other.nodes[0]!.sshPort, lab.nodes[0]!.sshPort, "two labs share no port");
    assert.ok(await labDown("two"));
    assert.notEqual((await lab.status())[0]?.state, "stopped", "the other lab still runs");

    await lab.stop("node-1", { force: true });
    assert.equal((await lab.status())[0]?.state, "stopped");
    assert.deepEqual(await machineProcesses(labPaths("one")), [], "the TPM ends with its machine");
    await lab.start("node-1", { wait: false, classConfig: Buffer.from("other"), withoutConfig: true });
    assert.equal(Buffer.from(lab.nodes[0]!.classConfig).toString(), "other");
    await assert.rejects(lab.start("node-9"), hasCode("not-found"));
    const before = await machineProcesses(labPaths("one"));
    await assert.rejects(lab.start("node-1", { wait: false, classConfig: Buffer.from("third") }), hasCode("conflict"));
    assert.deepEqual(await machineProcesses(labPaths("one")), before, "what runs runs on");
    assert.equal(Buffer.from(lab.nodes[0]!.classConfig).toString(), "other");

    for (const { pid } of await machineProcesses(labPaths("one"))) process.kill(pid, "SIGKILL");
    await lab.stop("node-1", { force: true });
    assert.equal((await lab.status())[0]?.state, "stopped", "a crash is seen");
    assert.ok(await labDown("one"));
    assert.equal(await labDown("one"), false);
    await assert.rejects(openLab("one"), hasCode("not-found"));
  });
});

/** Serves its arguments to whoever asks. */
const SERVER =
  'require("node:http").createServer((_, response) => response.end(process.argv.slice(1).join(" ")))' +
  '.listen(Number(process.argv.at(-1)), "127.0.0.1")';

async function ask(port: number): Promise<string | undefined> {
  return await fetch(`http://127.0.0.1:${port}/`).then(
    async (response) => response.text(),
    () => undefined,
  );
}

test(
  "a lab's repository is served while a machine runs, and its nodes are told where and by whom",
  { skip: missing },
  async () => {
    await withLabs(async (options, image) => {
      const repository = {
        directory: image,
        trustedRoot: Buffer.from("{}"),
        command: [process.execPath, "-e", SERVER, "--"],
      };
      await assert.rejects(labUp({ ...options, repository }), hasCode("unavailable"));
      const lab = await openLab("one");
      const nodeConfig = Buffer.from(lab.nodes[0]!.nodeConfig).toString();
      const policy = decodeURIComponent(/"data:,(repository[^"]*)"/u.exec(nodeConfig)?.[1] ?? "");
      const port = Number(/^repository: http:\/\/10\.0\.2\.2:(\d+)\/$/mu.exec(policy)?.[1]);
      assert.equal(await ask(port), `--repo ${image} --port ${port}`);
      assert.deepEqual(lab.repository, { directory: image, port, trustedRootPath: labPaths("one").releaseRoot });
      for (const [path, mode] of [
        [labPaths("one").directory, 0o700],
        [labPaths("one").runtime, 0o700],
        [labPaths("one").sshKey, 0o600],
        [lab.operatorKeyPath, 0o600],
      ] as const) {
        assert.equal((await stat(path)).mode & 0o777, mode, path);
      }
      assert.match(policy, new RegExp(`^  - ${pinOfOperatorPem(await readFile(lab.operatorKeyPath, "utf8"))}$`, "mu"));

      await lab.stopRepository();
      assert.equal(await ask(port), undefined);
      await lab.startRepository();
      assert.ok(await ask(port));
      await lab.stop("node-1", { force: true });
      assert.equal(await ask(port), undefined, "it ends with the last machine");
      await lab.start("node-1", { wait: false, clock: new Date(0) });
      assert.ok(await ask(port), "and comes back with the first");
      assert.ok(await labDown("one"));
      assert.ok(await isPortFree(port));
    });
  },
);

test(
  "a lab's nodes have a name server while a machine runs, and their own part says where",
  { skip: missing },
  async () => {
    await withLabs(async (options) => {
      await assert.rejects(labUp(options), hasCode("unavailable"));
      const lab = await openLab("one");
      const nodeConfig = decodeURIComponent(Buffer.from(lab.nodes[0]!.nodeConfig).toString());
      const port = Number(/^DNS=10\.0\.2\.2:(\d+)$/mu.exec(nodeConfig)?.[1]);
      const asked = new Resolver({ timeout: 20_000, tries: 2 });
      asked.setServers([`127.0.0.1:${port}`]);
      // Reserved for names that do not exist (RFC 6761, section 6.4); whatever it says, somebody has answered.
      await assert.rejects(asked.resolve4("none.invalid"), { code: /^(?:ENOTFOUND|ENODATA|ESERVFAIL)$/u });
      await lab.stop("node-1", { force: true });
      assert.ok(await isPortFree(port), "it ends with the last machine");
      await lab.start("node-1", { wait: false });
      assert.ok(!(await isPortFree(port)), "and comes back with the first");
      await labDown("one");
      assert.ok(await isPortFree(port));
    });
  },
);

test("half of a lab is removed like a whole one", async () => {
  await withLabs(async () => {
    const paths = labPaths("half");
    await mkdir(join(paths.directory, "node-1"), { recursive: true });
    await writeFile(paths.state, '{"schema":"ashlar.lab/v1"');
    await assert.rejects(openLab("half"), hasCode("malformed"));
    assert.deepEqual(listLabs(), ["half"]);
    assert.ok(await labDown("half"));
    assert.ok(!existsSync(paths.directory));
  });
});

test("what cannot be is refused before anything is made", async () => {
  await withLabs(async (options, image) => {
    await assert.rejects(labUp({ ...options, name: "../x" }), hasCode("usage"));
    await assert.rejects(labUp({ ...options, nodes: 17 }), hasCode("usage"));
    await assert.rejects(labUp({ ...options, nodes: 0 }), hasCode("usage"));
    await assert.rejects(labUp({ ...options, image: undefined }), hasCode("usage"));
    await assert.rejects(labUp({ ...options, image: join(image, "none") }), hasCode("not-found"));
    await assert.rejects(openLab("none"), hasCode("not-found"));
  });
});
