import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { testRelease } from "@ashlar/protocol/test-fixtures";
import type { UpdateProgress, UpdateRequest } from "@ashlar/protocol";
import {
  type ChangeOptions,
  initRepository,
  publishRelease,
  refreshRepository,
  rotateKeys,
  serveRepository,
} from "@ashlar/publisher";
import { KeyDirectory } from "@ashlar/keys";
import * as repository from "@ashlar/repository";
import { chooseRelease } from "@ashlar/repository-index";
import { recordFailure } from "../boot/failures.ts";
import { carryOutUpdate } from "./carry-out-update.ts";
import { makeTestRelease, makeTestUpdateNode, type TestRelease, type TestUpdateNode } from "./test-update-node.ts";
import { IDLE } from "./activity.ts";
import { readUpdateStatus } from "./update-status.ts";

const client = { ...repository, chooseRelease };

const [V10, V11, V12] = ["1.0.0", "1.1.0", "1.2.0"].map(makeTestRelease) as [TestRelease, TestRelease, TestRelease];

/** The directory of an image, as `ashlar image build` leaves it. */
function writeImage(directory: string, release: TestRelease): string {
  const { version, data, tree, uki, rootHash, dataPartitionUuid, hashPartitionUuid } = release;
  const manifest = testRelease(version, version, [], rootHash);
  mkdirSync(directory);
  const files: Readonly<Record<string, Buffer | string>> = {
    "usr.erofs": data,
    "usr.verity": tree,
    "uki.efi": uki,
    "sbom.cdx.json": "{}",
    "manifest.json": JSON.stringify({
      ...manifest,
      usr: {
        ...manifest.usr,
        rootHash,
        dataPartitionUuid,
        hashPartitionUuid,
        salt: "00".repeat(32),
        uuid: "00000000-0000-4000-8000-000000000000",
        dataSizeBytes: data.length,
        sha256: hash("sha256", data),
        verity: { sha256: hash("sha256", tree), sizeBytes: tree.length },
      },
      uki: { ...manifest.uki, sha256: hash("sha256", uki), sizeBytes: uki.length },
    }),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  return directory;
}

async function order(node: TestUpdateNode, request: UpdateRequest): Promise<UpdateProgress | null> {
  let last: UpdateProgress | null = null;
  await carryOutUpdate(node.paths, client, request, {
    report: ({ progress }) => void (last = progress ?? last),
    signal: new AbortController().signal,
  });
  return last;
}

await test("a node follows a real repository over HTTP: newest, pinned, failed, older", async () => {
  using node = makeTestUpdateNode(V10);
  const keys = new KeyDirectory(join(node.root, "keys"), async () => await Promise.reject(new Error("no passphrase")));
  const options: ChangeOptions = { repository: join(node.root, "repository"), keys, nowMs: Date.now() };
  await initRepository(options, async () => await Promise.resolve(undefined));
  for (const release of [V10, V11]) {
    const image = writeImage(join(node.root, `image-${release.version}`), release);
    await publishRelease({ ...options, image, channel: "stable" });
  }
  const server = await serveRepository({ repository: options.repository, host: "127.0.0.1", port: 0 });
  const configuration = join(node.root, "etc/ashlar");
  mkdirSync(configuration, { recursive: true });
  copyFileSync(join(keys.path, "release-root.json"), join(configuration, "release-root.json"));
  const write = (more = ""): void =>
    writeFileSync(join(configuration, "update.yaml"), `repository: ${server.url}\nchannel: stable\n${more}`);
  write();
  try {
    const progress = await order(node, {});
    assert.equal((await readUpdateStatus(node.paths, IDLE)).staged, "1.1.0");
    assert.equal(progress?.totalBytes, V11.data.length + V11.tree.length + V11.uki.length);
    // All but the last block, in which the versions differ, and those that are nothing but zeros.
    assert.ok((progress?.copiedBytes ?? 0) > V11.data.length / 2);
    assert.ok((progress?.fetchedBytes ?? 0) < V11.data.length / 2);
    assert.ok(readFileSync(node.partition(3)).subarray(0, V11.data.length).equals(V11.data));

    const [, entry = ""] = node.entries();
    assert.equal(entry, "ashlar_1.1.0+3-0.efi");
    node.boot(V11);
    assert.equal(await order(node, {}), null);
    // Its keys are replaced; the node has the first root role, and needs nothing else to stage what comes next.
    const timestamp = join(options.repository, "metadata/timestamp.json");
    const ofOldKeys = readFileSync(timestamp);
    for (const replace of [["root", "targets", "online"], ["root"]] as const)
      await rotateKeys({
        ...options,
        change: { replace },
        choosePassphrase: async () => await Promise.resolve(undefined),
      });
    assert.equal(await order(node, {}), null);
    await refreshRepository(options);
    const ofNewKeys = readFileSync(timestamp);
    writeFileSync(timestamp, ofOldKeys);
    await assert.rejects(order(node, {}), { code: "untrusted", message: /timestamp was signed by 0\/1 keys/u });
    writeFileSync(timestamp, ofNewKeys);
    const image = writeImage(join(node.root, "image-1.2.0"), V12);
    await publishRelease({ ...options, image, channel: "stable" });

    write('pin: "1.1.*"\n');
    await order(node, {});
    assert.equal((await readUpdateStatus(node.paths, IDLE)).staged, null);
    write();
    await recordFailure(node.paths.state, { version: "1.2.0", bootId: null, at: "", check: "x", message: "" });
    await assert.rejects(order(node, {}), { code: "conflict", message: /1\.2\.0 has failed/u });
    await assert.rejects(
      order(node, { to: "1.0.0" }),
      (error) => error instanceof AshlarError && /older/u.test(error.message),
    );
    await order(node, { retry: true });
    assert.equal((await readUpdateStatus(node.paths, IDLE)).staged, "1.2.0");
  } finally {
    await server.close();
  }
});
