import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { needs } from "@ashlar/base/test-needs";
import { formatVerity, type FormatVerityOptions } from "./format-verity.ts";
import { verifyVerity } from "./verify-verity.ts";

const UUID = "01234567-89ab-cdef-0123-456789abcdef";
const SALT = Buffer.from("ab".repeat(32), "hex");
const skip = needs("veritysetup");

const directory = mkdtempSync(join(tmpdir(), "ashlar-verity-"));
after(() => rmSync(directory, { recursive: true }));
const pathOf = (name: string): string => join(directory, name);

/** Bytes that look random and are the same each time. */
function noise(sizeBytes: number): Buffer {
  const bytes = createHash("shake256", { outputLength: 64 * 1024 })
    .update("noise")
    .digest();
  const data = Buffer.alloc(sizeBytes, bytes);
  for (let offset = 0; offset + 4 <= sizeBytes; offset += 4096) data.writeUInt32LE(offset, offset);
  return data;
}

type Case = { readonly sizeBytes: number } & Omit<FormatVerityOptions, "data" | "hash" | "uuid" | "salt"> & {
    readonly salt?: Buffer;
  };

const cases: readonly Case[] = [
  ...[4096, 2 * 4096, 128 * 4096, 129 * 4096, 128 * 128 * 4096, (128 * 128 + 1) * 4096, 40_000_000].map((sizeBytes) => {
    return { sizeBytes };
  }),
  // Not whole blocks: the rest is left out.
  { sizeBytes: 4097 },
  { sizeBytes: 999_999 },
  { sizeBytes: 600_000, salt: Buffer.alloc(0) },
  { sizeBytes: 600_000, salt: Buffer.alloc(1, 7) },
  { sizeBytes: 600_000, salt: Buffer.alloc(256, 7) },
  ...(["sha1", "sha224", "sha384", "sha512"] as const).map((algorithm) => ({ sizeBytes: 1_200_000, algorithm })),
  ...[512, 1024, 65_536, 524_288].flatMap((size) => [
    { sizeBytes: 3_000_000, dataBlockSizeBytes: size },
    { sizeBytes: 3_000_000, hashBlockSizeBytes: size },
    { sizeBytes: 3_000_000, dataBlockSizeBytes: size, hashBlockSizeBytes: size },
  ]),
  { sizeBytes: 100_000, dataBlockSizeBytes: 65_536, algorithm: "sha512" },
  { sizeBytes: 40_000_000, threads: 1 },
  { sizeBytes: 40_000_000, threads: 3 },
];

for (const { sizeBytes, salt = SALT, ...options } of cases) {
  const name = JSON.stringify({ sizeBytes, saltBytes: salt.length, ...options });
  test(`writes what veritysetup writes, and both verify it: ${name}`, { skip }, async () => {
    const [data, ours, theirs] = [pathOf("data"), pathOf("ours"), pathOf("theirs")];
    for (const path of [ours, theirs]) rmSync(path, { force: true });
    writeFileSync(data, noise(sizeBytes));
    const formatted = await formatVerity({ data, hash: ours, salt, uuid: UUID, ...options });
    const { algorithm = "sha256", dataBlockSizeBytes = 4096, hashBlockSizeBytes = 4096 } = options;
    const theirOptions = [
      `--salt=${salt.toString("hex") || "-"}`,
      `--uuid=${UUID}`,
      `--hash=${algorithm}`,
      `--data-block-size=${dataBlockSizeBytes}`,
      `--hash-block-size=${hashBlockSizeBytes}`,
    ];
    const output = execFileSync("veritysetup", ["format", data, theirs, ...theirOptions], { encoding: "utf8" });
    assert.equal(formatted.rootHash, /Root hash:\s*([0-9a-f]+)/u.exec(output)?.[1]);
    assert.equal(formatted.hashBlocks, Number(/Hash blocks:\s*([0-9]+)/u.exec(output)?.[1]));
    assert.equal(formatted.uncoveredBytes, sizeBytes % dataBlockSizeBytes);
    assert.ok(readFileSync(ours).equals(readFileSync(theirs)), "same bytes");
    const { problems } = await verifyVerity({
      data: { path: data },
      hash: { path: ours },
      rootHash: formatted.rootHash,
    });
    assert.deepEqual(problems, []);
  });
}

test("data of less than a block is refused, and no hash file is made", async () => {
  for (const size of [0, 1, 4095]) {
    writeFileSync(pathOf("small"), noise(size));
    const options = { data: pathOf("small"), hash: pathOf("none"), salt: SALT, uuid: UUID };
    await assert.rejects(formatVerity(options), { code: "invalid", message: /at least one block of 4096 bytes/u });
    assert.ok(!existsSync(pathOf("none")));
  }
});

test("bad files are refused", async () => {
  const data = pathOf("small");
  writeFileSync(data, noise(8192));
  const options = { data, hash: pathOf("none"), salt: SALT, uuid: UUID };
  await assert.rejects(formatVerity({ ...options, data: pathOf("missing") }), { code: "not-found" });
  await assert.rejects(formatVerity({ ...options, data: directory }), { code: "invalid" });
  await assert.rejects(formatVerity({ ...options, hash: data }), { code: "invalid", message: /another file/u });
  await assert.rejects(formatVerity({ ...options, hash: pathOf("no/such/directory") }), { code: "not-found" });
});

test("what stands after the tree in a longer hash file is kept, as veritysetup does", { skip }, async () => {
  const [data, ours, theirs] = [pathOf("data"), pathOf("ours"), pathOf("theirs")];
  writeFileSync(data, noise(20_000));
  for (const path of [ours, theirs]) writeFileSync(path, Buffer.alloc(50_000, 3));
  await formatVerity({ data, hash: ours, salt: SALT, uuid: UUID });
  const options = [`--salt=${SALT.toString("hex")}`, `--uuid=${UUID}`];
  execFileSync("veritysetup", ["format", data, theirs, ...options], { stdio: "ignore" });
  assert.ok(readFileSync(ours).equals(readFileSync(theirs)));
});

async function damaged(
  dataOffsets: readonly number[],
  hashOffsets: readonly number[],
): ReturnType<typeof verifyVerity> {
  const [data, hash] = [pathOf("data"), pathOf("hash")];
  const bytes = noise(20_000_000);
  writeFileSync(data, bytes);
  const { rootHash } = await formatVerity({ data, hash, salt: SALT, uuid: UUID });
  const tree = readFileSync(hash);
  for (const offset of dataOffsets) bytes[offset]! ^= 1;
  for (const offset of hashOffsets) tree[offset]! ^= 1;
  writeFileSync(data, bytes);
  writeFileSync(hash, tree);
  return await verifyVerity({ data: { path: data }, hash: { path: hash }, rootHash });
}

test("the first bad data blocks are named in order, and all are counted", async () => {
  const { problems, badDataBlocks } = await damaged([19_000_000, 4096 * 7, 4096 * 7 + 1, 10_000_000], []);
  assert.equal(badDataBlocks, 3);
  assert.deepEqual(
    problems,
    [7, 2441, 4638].map((block) => ({ kind: "data-block", block, offsetBytes: block * 4096 })),
  );
  const many = await damaged(
    Array.from({ length: 100 }, (_, index) => index * 100_000),
    [],
  );
  assert.equal(many.badDataBlocks, 100);
  assert.deepEqual(
    many.problems.map((problem) => "block" in problem && problem.block),
    Array.from({ length: 16 }, (_, index) => Math.floor((index * 100_000) / 4096)),
  );
});

test("a bad hash block is named before the data blocks under it", async () => {
  const { problems } = await damaged([], [3 * 4096 + 33]);
  assert.deepEqual(problems, [
    { kind: "hash-block", block: 3, offsetBytes: 3 * 4096 },
    { kind: "data-block", block: 129, offsetBytes: 129 * 4096 },
  ]);
});

test("a bad top block shows as another root hash", async () => {
  const { problems } = await damaged([], [4096 + 4095]);
  assert.deepEqual(
    problems.map(({ kind }) => kind),
    ["root"],
  );
});

test("damage in one block of data without a tree shows in the root hash", async () => {
  const [data, hash] = [pathOf("data"), pathOf("hash")];
  writeFileSync(data, noise(4096));
  const { rootHash } = await formatVerity({ data, hash, salt: SALT, uuid: UUID });
  writeFileSync(data, Buffer.alloc(4096));
  const { problems } = await verifyVerity({ data: { path: data }, hash: { path: hash }, rootHash });
  assert.deepEqual(
    problems.map(({ kind }) => kind),
    ["root"],
  );
});

test("regions of a larger file verify in place", async () => {
  const [data, hash, disk] = [pathOf("data"), pathOf("hash"), pathOf("disk")];
  writeFileSync(data, noise(3_000_000));
  const { rootHash, hashSizeBytes } = await formatVerity({ data, hash, salt: SALT, uuid: UUID });
  const tree = readFileSync(hash).subarray(0, hashSizeBytes);
  writeFileSync(disk, Buffer.concat([Buffer.alloc(512), tree, readFileSync(data), Buffer.alloc(99)]));
  const { problems } = await verifyVerity({
    data: { path: disk, offsetBytes: 512 + hashSizeBytes, sizeBytes: 3_000_000 },
    hash: { path: disk, offsetBytes: 512, sizeBytes: hashSizeBytes },
    rootHash,
  });
  assert.deepEqual(problems, []);
});

test("a tree that does not fit the files is refused before any work", async () => {
  const [data, hash] = [pathOf("data"), pathOf("hash")];
  writeFileSync(data, noise(1_000_000));
  const { rootHash } = await formatVerity({ data, hash, salt: SALT, uuid: UUID });
  const whole = { data: { path: data }, hash: { path: hash }, rootHash };
  const shortData = { path: data, sizeBytes: 4096 };
  await assert.rejects(verifyVerity({ ...whole, data: shortData }), {
    code: "invalid",
    message: /at least the 999424/u,
  });
  const shortHash = { path: hash, sizeBytes: 4096 };
  await assert.rejects(verifyVerity({ ...whole, hash: shortHash }), { code: "invalid", message: /superblock states/u });
  await assert.rejects(verifyVerity({ ...whole, hash: { path: hash, sizeBytes: 100 } }), { code: "malformed" });
  await assert.rejects(verifyVerity({ ...whole, data: { path: data, sizeBytes: 2e6 } }), { code: "invalid" });
  await assert.rejects(verifyVerity({ ...whole, rootHash: "00" }), { code: "invalid", message: /64 lower-case/u });
});
