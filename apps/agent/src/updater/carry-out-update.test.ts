import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { readFailures, recordFailure } from "../boot/failures.ts";
import { noteFallbacks } from "../boot/note-fallbacks.ts";
import { carryOutRollback } from "./carry-out-rollback.ts";
import { carryOutUpdate } from "./carry-out-update.ts";
import { readNextBoot } from "./next-boot.ts";
import type { OrderContext } from "./order-book.ts";
import type { ReleaseClient } from "./release-client.ts";
import {
  makeTestRelease,
  makeTestUpdateNode,
  summaryOf,
  type TestRelease,
  type TestUpdateNode,
} from "./test-update-node.ts";
import { writeUpdateNotes } from "./update-notes.ts";
import { IDLE } from "./activity.ts";
import { readUpdateStatus, withinLimit } from "./update-status.ts";

const V10 = makeTestRelease("1.0.0");
const V11 = makeTestRelease("1.1.0");
const V12 = makeTestRelease("1.2.0");

/** A repository that holds some releases, and gives out whole ones. */
function clientFor(node: TestUpdateNode, ...releases: readonly TestRelease[]): ReleaseClient {
  return clientWith(node, releases, "1.0.0");
}

function clientWith(node: TestUpdateNode, releases: readonly TestRelease[], minimumVersion: string): ReleaseClient {
  mkdirSync(join(node.root, "etc/ashlar"), { recursive: true });
  writeFileSync(join(node.root, "etc/ashlar/update.yaml"), "repository: http://127.0.0.1:1/\n");
  writeFileSync(join(node.root, "etc/ashlar/release-root.json"), "{}");
  const find = (version: string): TestRelease => {
    const release = releases.find((each) => each.version === version);
    if (release === undefined) throw new AshlarError("not-found", `no ${version}`);
    return release;
  };
  const index = {
    channels: new Map([["stable", { version: "1.0.0", minimumVersion }]]),
    releases: new Map(releases.map(({ version }) => [version, {}])),
  };
  const client = {
    openRepository: async () => ({ index, readSummary: async (version: string) => summaryOf(find(version)) }),
    chooseRelease: (_index: unknown, choice: { to: string; failed: string[]; retry?: boolean }) => {
      if (choice.failed.includes(choice.to) && choice.retry !== true)
        throw new AshlarError("conflict", "it has failed");
      return choice.to;
    },
    stageRelease: async ({ version, directory }: { version: string; directory: string }) => {
      const { data, tree, uki, dataPartitionUuid, hashPartitionUuid } = find(version);
      writeFileSync(join(directory, `ashlar_${version}_${dataPartitionUuid}.usr.raw`), data);
      writeFileSync(join(directory, `ashlar_${version}_${hashPartitionUuid}.usr-verity.raw`), tree);
      writeFileSync(join(directory, `ashlar_${version}.efi`), uki);
      return { badSourceBlocks: [], goodSourceBlocks: new Map() };
    },
  };
  return client as unknown as ReleaseClient;
}

function context(): OrderContext & { readonly phases: string[] } {
  const phases: string[] = [];
  const report: OrderContext["report"] = ({ phase }) => void (phase !== undefined && phases.push(phase));
  return { report, signal: new AbortController().signal, phases };
}

async function update(node: TestUpdateNode, to: string, options: { retry?: boolean } = {}): Promise<readonly string[]> {
  const { phases, ...rest } = context();
  await carryOutUpdate(node.paths, clientFor(node, V10, V11, V12), { to, ...options }, rest);
  return phases;
}

function damage(path: string, block: number): void {
  const bytes = readFileSync(path);
  bytes[block * 4096 + 9] = (bytes[block * 4096 + 9] ?? 0) ^ 0x40;
  writeFileSync(path, bytes);
}

await test("a release is fetched, installed, read back, and boots next; the same order again does nothing", async () => {
  using node = makeTestUpdateNode(V10);
  assert.deepEqual(await update(node, "1.1.0"), [
    "checking",
    "fetching",
    "checking-slots",
    "installing",
    "checking-slots",
  ]);
  assert.deepEqual(node.entries(), ["ashlar_1.0.0.efi", "ashlar_1.1.0+3-0.efi"]);
  for (const name of ["10-usr", "20-usr-verity"]) {
    const dropIn = join(node.paths.sysupdateRuntime, `${name}.transfer.d/disk.conf`);
    assert.equal(readFileSync(dropIn, "utf8"), `[Target]\nPath=${node.partition(3).slice(0, -1)}\n`);
  }
  assert.ok(readFileSync(node.partition(3)).subarray(0, V11.data.length).equals(V11.data));
  const status = await readUpdateStatus(node.paths, IDLE);
  assert.deepEqual([status.version, status.staged, status.rebootNeeded], ["1.0.0", "1.1.0", true]);
  assert.match(readFileSync(`${node.paths.rebootRequired}.pkgs`, "utf8"), /ashlar 1\.1\.0/u);
  assert.deepEqual(readdirSync(node.paths.state).toSorted(), ["notes.json", "scrub.json"]);
  assert.deepEqual(await update(node, "1.1.0"), ["checking"]);
  const { slots } = await readNextBoot(node.paths);
  assert.deepEqual(
    slots.map(({ label, badBlocks }) => [label, badBlocks]),
    [
      ["ashlar_1.0.0", 0],
      ["ashlar_1.1.0", 0],
    ],
  );
});

await test("where Secure Boot is on, a release that its firmware would not start is not fetched", async () => {
  using node = makeTestUpdateNode(V10);
  writeFileSync(
    join(node.paths.efiVariables, "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"),
    Buffer.of(6, 0, 0, 0, 1),
  );
  await assert.rejects(update(node, "1.1.0"), { code: "untrusted", message: /Secure Boot is on/u });
  assert.deepEqual(node.entries(), ["ashlar_1.0.0.efi"]);
});

await test("an order for what runs takes the staged release back", async () => {
  using node = makeTestUpdateNode(V10);
  await update(node, "1.1.0");
  await update(node, "1.0.0");
  assert.deepEqual(node.entries(), ["ashlar_1.0.0.efi", "ashlar_1.1.0+0-0.efi"]);
  assert.equal((await readUpdateStatus(node.paths, IDLE)).staged, null);
  assert.equal(existsSync(node.paths.rebootRequired), false);
});

await test("what somebody has ordered by its name is not taken back because the channel has another", async () => {
  using node = makeTestUpdateNode(V10);
  await update(node, "1.1.0");
  const client = { ...clientFor(node, V10, V11), chooseRelease: () => "1.0.0" };
  await carryOutUpdate(node.paths, client, {}, context());
  assert.equal((await readUpdateStatus(node.paths, IDLE)).staged, "1.1.0");
  // Unless it is withdrawn, or gone.
  await carryOutUpdate(node.paths, { ...clientFor(node, V10), chooseRelease: () => "1.0.0" }, {}, context());
  assert.equal((await readUpdateStatus(node.paths, IDLE)).staged, null);
});

await test("nothing goes below the minimum version that the node has seen", async () => {
  using node = makeTestUpdateNode(V11, V10);
  await carryOutUpdate(node.paths, clientWith(node, [V10, V11], "1.1.0"), { to: "1.1.0" }, context());
  const expected = { code: "invalid", message: /1\.0\.0 is below 1\.1\.0/u } as const;
  await assert.rejects(carryOutRollback(node.paths, context()), expected);
  // A repository, or a channel, that allows more does not lower it.
  await assert.rejects(update(node, "1.0.0"), expected);
  const status = await readUpdateStatus(node.paths, IDLE);
  assert.deepEqual([status.staged, status.minimumVersion], [null, "1.1.0"]);
});

await test("a release that was staged before the minimum rose above it does not boot next any more", async () => {
  using node = makeTestUpdateNode(V11, V10);
  await update(node, "1.0.0");
  assert.equal((await readUpdateStatus(node.paths, IDLE)).staged, "1.0.0");
  await writeUpdateNotes(node.paths.state, { minimumVersion: "1.1.0" });
  await assert.rejects(carryOutRollback(node.paths, context()), {
    code: "invalid",
    message: /1\.0\.0 is below 1\.1\.0/u,
  });
  const client = { ...clientWith(node, [V10, V11], "1.1.0"), chooseRelease: () => "1.1.0" };
  await carryOutUpdate(node.paths, client, {}, context());
  assert.equal((await readUpdateStatus(node.paths, IDLE)).staged, null);
});

await test("whoever died at the very end is made up for", async () => {
  using node = makeTestUpdateNode(V10);
  await update(node, "1.1.0");
  rmSync(node.paths.rebootRequired);
  assert.deepEqual(await update(node, "1.1.0"), ["checking"]);
  assert.ok(existsSync(node.paths.rebootRequired));
});

await test("what an operator rolled back is not taken up again because a channel has it", async () => {
  using node = makeTestUpdateNode(V11, V10);
  await carryOutRollback(node.paths, context());
  const client = clientFor(node, V10, V11);
  await carryOutUpdate(node.paths, { ...client, chooseRelease: () => "1.1.0" }, {}, context());
  assert.equal((await readUpdateStatus(node.paths, IDLE)).staged, "1.0.0");
  await update(node, "1.1.0");
  assert.equal((await readUpdateStatus(node.paths, IDLE)).staged, null);
  assert.deepEqual(node.entries(), ["ashlar_1.0.0.efi", "ashlar_1.1.0+3-0.efi"]);
});

await test("a killed systemd-sysupdate leaves no entry; the next order completes it", async () => {
  using node = makeTestUpdateNode(V10, V11);
  node.breakSysupdate("dies");
  await assert.rejects(update(node, "1.2.0"), { code: "failed" });
  assert.deepEqual(node.entries(), ["ashlar_1.0.0.efi"]);
  // What a power cut leaves on the ESP.
  const leftovers = [
    join(node.paths.esp, "EFI/Linux/.#sysupdateashlar_1.2.0+3-0.efi6d1"),
    join(node.paths.esp, "FSCK0000.REC"),
  ];
  for (const path of leftovers) writeFileSync(path, "x");
  await update(node, "1.2.0");
  assert.deepEqual(
    leftovers.filter((path) => existsSync(path)),
    [],
  );
  assert.deepEqual(node.entries(), ["ashlar_1.0.0.efi", "ashlar_1.2.0+3-0.efi"]);
});

await test("a block that was written wrong is found and written again", async () => {
  using node = makeTestUpdateNode(V10);
  node.breakSysupdate("bad-block");
  const phases = await update(node, "1.1.0");
  assert.deepEqual(phases.slice(3), ["installing", "checking-slots", "installing", "checking-slots"]);
  assert.deepEqual(node.entries(), ["ashlar_1.0.0.efi", "ashlar_1.1.0+3-0.efi"]);
  assert.ok(readFileSync(node.partition(3)).subarray(0, V11.data.length).equals(V11.data));
});

await test("a UKI that was written wrong is found and written again", async () => {
  using node = makeTestUpdateNode(V10);
  node.breakSysupdate("bad-uki");
  await update(node, "1.1.0");
  assert.equal(readFileSync(join(node.paths.esp, "EFI/Linux/ashlar_1.1.0+3-0.efi"), "utf8"), V11.uki.toString());
});

await test("the only good release is not overwritten; when both slots are bad, an update is the cure", async () => {
  using node = makeTestUpdateNode(V11, V10);
  damage(node.partition(1), 2);
  await assert.rejects(update(node, "1.2.0"), (error) => {
    assert.ok(error instanceof AshlarError && error.code === "conflict");
    assert.match(error.message, /running slot ashlar_1\.1\.0 has 1 damaged blocks \(\/usr\S*.*ashlar_1\.0\.0/u);
    return true;
  });
  assert.deepEqual(node.entries(), ["ashlar_1.0.0.efi", "ashlar_1.1.0.efi"]);
  damage(node.partition(3), 1);
  await update(node, "1.2.0");
  assert.deepEqual(node.entries(), ["ashlar_1.1.0.efi", "ashlar_1.2.0+3-0.efi"]);
});

await test("during a trial the other slot is kept", async () => {
  using node = makeTestUpdateNode(V10);
  await update(node, "1.1.0");
  const [, trial = ""] = node.entries();
  node.boot(V11, `\\EFI\\Linux\\${trial}`);
  assert.equal((await readUpdateStatus(node.paths, IDLE)).trial, true);
  await assert.rejects(update(node, "1.2.0"), { code: "conflict", message: /trial/u });
});

await test("downgrade, rollback and retry use what is in the other slot", async () => {
  using node = makeTestUpdateNode(V11, V10);
  await carryOutRollback(node.paths, context());
  assert.deepEqual(node.entries(), ["ashlar_1.0.0.efi", "ashlar_1.1.0+0-0.efi"]);
  await carryOutRollback(node.paths, context());
  node.boot(V10);
  await noteFallbacks(node.paths);
  const [failure] = await readFailures(node.paths.state);
  assert.deepEqual([failure?.version, failure?.check], ["1.1.0", "rollback"]);
  await assert.rejects(update(node, "1.1.0"), { code: "conflict", message: "it has failed" });
  await update(node, "1.1.0", { retry: true });
  assert.deepEqual(node.entries(), ["ashlar_1.0.0.efi", "ashlar_1.1.0+3-0.efi"]);
  assert.deepEqual(await readFailures(node.paths.state), []);
});

await test("a rollback to a slot with a bad block is refused, and so is one to a release that failed", async () => {
  using node = makeTestUpdateNode(V11, V10);
  damage(node.partition(3), 1);
  await assert.rejects(carryOutRollback(node.paths, context()), {
    code: "failed",
    message: /ashlar_1\.0\.0 has 1 damaged/u,
  });
  assert.deepEqual(node.entries(), ["ashlar_1.0.0.efi", "ashlar_1.1.0.efi"]);
  using empty = makeTestUpdateNode(V10);
  await assert.rejects(carryOutRollback(empty.paths, context()), { code: "not-found" });
});

await test("a fallback without a word is recorded once, and not at all where a health check spoke", async () => {
  using node = makeTestUpdateNode(V10);
  await update(node, "1.1.0");
  const linux = join(node.paths.esp, "EFI/Linux");
  writeFileSync(join(linux, "ashlar_1.1.0+0-3.efi"), readFileSync(join(linux, "ashlar_1.1.0+3-0.efi")));
  writeFileSync(join(linux, "ashlar_1.2.0+0-3.efi"), "");
  const spoken = { version: "1.2.0", bootId: "b", at: "2026-01-01T00:00:00.000Z", check: "containerd", message: "m" };
  await recordFailure(node.paths.state, spoken);
  await noteFallbacks(node.paths);
  await noteFallbacks(node.paths);
  const failures = await readFailures(node.paths.state);
  assert.deepEqual(
    failures.map(({ version, check }) => [version, check]),
    [
      ["1.1.0", "unknown"],
      ["1.2.0", "containerd"],
    ],
  );
});

await test("a status stays readable, however much checks have to say", async () => {
  using node = makeTestUpdateNode(V10);
  const status = await readUpdateStatus(node.paths, IDLE);
  assert.equal(withinLimit(status), status);
  const check = { name: "x", passed: false, durationMs: 1, message: "\u{1f9f1}".repeat(1000) };
  const talkative = { ...status, health: { healthy: false, checks: Array.from({ length: 53 }, () => check) } };
  assert.ok(Buffer.byteLength(JSON.stringify(withinLimit(talkative))) < 128 * 1024);
});
