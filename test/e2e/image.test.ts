/**
 * The image: two builds give the same bytes, other programs agree with what the manifest predicts, and damage is named.
 * The first build is the one that the other end-to-end tests boot.
 */
import assert from "node:assert/strict";
import { EXIT_STATUS } from "@ashlar/base";
import { hash } from "node:crypto";
import { copyFile, glob, mkdir, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ukiSections, BOOT_PHASES } from "@ashlar/formats";
import { cacheDirectory, run, runForText } from "@ashlar/host";
import { parseManifest, type ReleaseManifest } from "@ashlar/protocol/answers";
import { ashlar, IMAGE_DIRECTORY, OUT } from "./world.ts";

const MINUTES = 60_000;
const second = join(OUT, "second");
const tree = join(OUT, "tree");
let manifest: ReleaseManifest;

before(
  async () => {
    await ashlar("image", "build", "--version", "1.0.0", "--out", IMAGE_DIRECTORY);
    manifest = parseManifest(await readFile(join(IMAGE_DIRECTORY, "manifest.json"), "utf8"));
  },
  { timeout: 60 * MINUTES },
);

after(async () => {
  for (const directory of [second, tree, join(OUT, "other-cache")])
    await rm(directory, { recursive: true, force: true });
});

test(
  "a second build, with an empty cache and in another directory, gives the same bytes",
  { timeout: 60 * MINUTES },
  async () => {
    const env = { XDG_CACHE_HOME: join(OUT, "other-cache") };
    await run("./ashlar", ["image", "build", "--version", "1.0.0", "--out", second], { env, onLine: console.log });
    for (const name of [
      "usr.erofs",
      "usr.verity",
      "uki.efi",
      "manifest.json",
      "sbom.cdx.json",
      "provenance.json",
      "systemd-boot.efi",
      "disk.raw",
    ]) {
      const digests = await Promise.all(
        [IMAGE_DIRECTORY, second].map(async (directory) => digestOf(join(directory, name))),
      );
      assert.equal(digests[0], digests[1], `${name} differs between two builds of the same inputs`);
    }
  },
);

test("the image keeps to its budget and verifies", { timeout: 20 * MINUTES }, async () => {
  assert.ok(manifest.usr.dataSizeBytes <= 260_000_000, `usr has ${manifest.usr.dataSizeBytes} bytes`);
  assert.ok(manifest.uki.sizeBytes <= 22_000_000, `the UKI has ${manifest.uki.sizeBytes} bytes`);
  await ashlar("image", "verify", IMAGE_DIRECTORY);
  await ashlar("image", "verify", join(IMAGE_DIRECTORY, "disk.raw"));
});

test("veritysetup and sfdisk agree", { timeout: 20 * MINUTES }, async () => {
  const at = (name: string): string => join(IMAGE_DIRECTORY, name);
  await run("veritysetup", ["verify", at("usr.erofs"), at("usr.verity"), manifest.usr.rootHash]);
  await run("sfdisk", ["--verify", at("disk.raw")]);
  const table: { partitiontable: { partitions: { uuid: string; name: string }[] } } = JSON.parse(
    await runForText("sfdisk", ["--json", at("disk.raw")]),
  );
  const { partitions } = table.partitiontable;
  assert.deepEqual(
    partitions.map(({ name }) => name),
    ["ashlar-esp", "ashlar_1.0.0", "ashlar_1.0.0_verity", "_empty", "_empty"],
  );
  assert.equal(partitions[1]?.uuid.toLowerCase(), manifest.usr.dataPartitionUuid);
  assert.equal(partitions[2]?.uuid.toLowerCase(), manifest.usr.hashPartitionUuid);
});

test(
  "systemd-measure and ukify predict the same PCR 11 and see the same sections",
  { timeout: 20 * MINUTES },
  async () => {
    await unpackBuildTree();
    const uki = await readFile(join(IMAGE_DIRECTORY, "uki.efi"));
    await writeFile(join(tree, "tmp/uki.efi"), uki);
    const options: string[] = [];
    for (const { name, data } of ukiSections(uki)) {
      const path = `/tmp/section${name}`;
      await writeFile(join(tree, path), data);
      options.push(`--${name.slice(1)}=${path}`);
    }
    for (const [index, phase] of BOOT_PHASES.entries()) {
      const path = BOOT_PHASES.slice(0, index + 1).join(":");
      const answer: Record<string, { phase: string; pcr: number; hash: string }[]> = JSON.parse(
        await inTree(
          "/usr/lib/systemd/systemd-measure",
          "calculate",
          "--json=short",
          "--bank=sha256",
          `--phase=${path}`,
          ...options,
        ),
      );
      assert.equal(answer["sha256"]?.[0]?.hash, manifest.pcrs["11"][phase], `PCR 11 after ${phase}`);
    }
    const inspected: Record<string, { size: number; sha256: string }> = JSON.parse(
      await inTree("ukify", "inspect", "/tmp/uki.efi", "--json=short"),
    );
    for (const { name, sha256 } of manifest.uki.sections)
      assert.equal(inspected[name]?.sha256, sha256, `section ${name}`);
  },
);

test(
  "a damaged disk is named with its block and file, and a damaged manifest with its place",
  { timeout: 20 * MINUTES },
  async () => {
    await mkdir(second, { recursive: true });
    const copy = join(second, "disk.raw");
    await rm(copy, { force: true });
    await run("cp", ["--sparse=always", join(IMAGE_DIRECTORY, "disk.raw"), copy]);
    {
      await using disk = await open(copy, "r+");
      await disk.write(Buffer.from("damage"), 0, 6, 257 * 1024 * 1024 + 20_000 * 4096 + 77);
    }
    const disk = await ashlarFails("image", "verify", copy);
    assert.match(disk, /block 20000 is not as released \(\/usr\/\S+/u);

    await copyFile(join(IMAGE_DIRECTORY, "manifest.json"), join(second, "manifest.json"));
    const text = await readFile(join(second, "manifest.json"), "utf8");
    await writeFile(join(second, "manifest.json"), text.replace(/"rootHash": "./u, '"rootHash": "x'));
    assert.match(await ashlarFails("image", "verify", second), /\$\.usr\.rootHash/u);
  },
);

test("bad arguments are refused before anything is done", async () => {
  for (const args of [
    ["image", "build", "--version", "../1", "--out", join(OUT, "never")],
    ["image", "build", "--version", "1.0.0"],
    ["image", "build", "--version", "1.0.0", "--out", join(OUT, "never"), "--snapshot", "yesterday"],
  ]) {
    const { status, stderr } = await run("./ashlar", args, { acceptStatus: [64] });
    assert.equal(status, 64);
    assert.match(stderr, /^error: /u);
    assert.doesNotMatch(stderr, /\n\s+at /u, "no stack trace");
  }
  await assert.rejects(stat(join(OUT, "never")));
});

async function ashlarFails(...args: string[]): Promise<string> {
  const { stdout, stderr } = await run("./ashlar", args, { acceptStatus: [1, EXIT_STATUS.malformed] });
  return `${stdout.toString("utf8")}${stderr}`;
}

async function digestOf(path: string): Promise<string> {
  // disk.raw is too large to be read at once.
  if (path.endsWith(".raw")) return (await runForText("sha256sum", [path])).slice(0, 64);
  return hash("sha256", await readFile(path));
}

/** The Debian tree that the image was built with: its programs are an independent opinion. */
async function unpackBuildTree(): Promise<void> {
  const tars: { path: string; usedMs: number }[] = [];
  for await (const path of glob("image/debian-*/build.tar", { cwd: cacheDirectory() })) {
    const full = join(cacheDirectory(), path);
    tars.push({ path: full, usedMs: (await stat(join(full, ".."))).mtimeMs });
  }
  const newest = tars.toSorted((a, b) => b.usedMs - a.usedMs)[0];
  assert.ok(newest, "the build has left its Debian tree in the cache");
  await rm(tree, { recursive: true, force: true });
  await mkdir(tree, { recursive: true });
  await run("tar", ["-C", tree, "--extract", "--file", newest.path]);
}

async function inTree(...command: string[]): Promise<string> {
  return await runForText("chroot", [tree, ...command], { env: { PATH: "/usr/sbin:/usr/bin" } });
}
