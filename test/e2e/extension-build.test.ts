/**
 * Building extensions: each kind of source, the same bytes again, what is refused, and that the systemd of a node agrees.
 */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { copyFile, cp, mkdir, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { parseDdi } from "@ashlar/formats";
import { cacheDirectory, run, withTemporaryDirectory } from "@ashlar/host";
import { BuildTree, chooseArchive, makeDebianTrees, readOsDefinition } from "@ashlar/debian";
import { ashlar, ashlarWithStatus, IMAGE_DIRECTORY, OUT } from "./world.ts";

const MINUTES = 60_000;
const work = join(OUT, "extensions");
const [keys, out, again] = ["keys", "out", "again"].map((name) => join(work, name)) as [string, string, string];
const step = { signal: undefined, onProgress: console.log };

before(
  async () => {
    await rm(work, { recursive: true, force: true });
    const isBuilt = (await stat(join(IMAGE_DIRECTORY, "manifest.json")).catch(() => undefined)) !== undefined;
    if (!isBuilt) await ashlar("image", "build", "--version", "1.0.0", "--out", IMAGE_DIRECTORY);
    await ashlar("release", "init", "--repo", join(work, "repository"), "--keys", keys);
  },
  { timeout: 60 * MINUTES },
);

after(async () => await rm(work, { recursive: true, force: true }));

async function write(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  await mkdir(dirname(join(work, path)), { recursive: true });
  await writeFile(join(work, path), content, { mode });
}

/** Builds against the image, and gives the extension's path. */
async function build(directory: string, ...args: readonly string[]): Promise<string> {
  const common = ["--release", IMAGE_DIRECTORY, "--keys", keys, "--out", directory, "--json"];
  const printed: { image: string } = JSON.parse(await ashlar("extension", "build", ...args, ...common));
  return printed.image;
}

async function expectSame(first: string, second: string): Promise<void> {
  for (const suffix of [".raw", ".manifest.json", ".sbom.cdx.json", ".provenance.json"]) {
    const [a, b] = await Promise.all([first, second].map(async (path) => readFile(path.replace(/\.raw$/u, suffix))));
    assert.ok(
      a !== undefined && b !== undefined && a.equals(b),
      `${suffix} differs between two builds of the same inputs`,
    );
  }
}

test(
  "from Debian packages: what the base lacks, the same bytes twice, verified",
  { timeout: 20 * MINUTES },
  async () => {
    const args = ["--name", "tools", "--version", "1.0", "--deb", "strace", "tcpdump"];
    const image = await build(out, ...args);
    await expectSame(image, await build(again, ...args));
    await ashlar("extension", "verify", image, "--keys", keys);
    const inspected: { packages: { name: string }[] } = JSON.parse(
      await ashlar("extension", "inspect", image, "--json"),
    );
    const names = inspected.packages.map(({ name }) => name);
    assert.ok(
      names.includes("strace") && names.includes("tcpdump") && names.includes("libpcap0.8t64"),
      names.join(", "),
    );
    assert.ok(!names.includes("libc6"), "the base has a C library");
  },
);

test("from a folder, wherever it is and whoever owns it", { timeout: 20 * MINUTES }, async () => {
  await write("tree/usr/bin/hello", "#!/bin/sh\necho hello\n", 0o755);
  await write("tree/usr/lib/systemd/system/hello.service", "[Service]\nExecStart=/usr/bin/hello\n");
  await write("tree/usr/lib/ashlar/health.d/hello", "#!/bin/sh\n", 0o755);
  await cp(join(work, "tree"), join(work, "copy"), { recursive: true });
  await run("chown", ["--recursive", "1000:1000", join(work, "copy")]);
  const behaviour = ["--start", "hello.service", "--health-check", "/usr/lib/ashlar/health.d/hello"];
  const args = ["--name", "hello", "--version", "1.0", ...behaviour];
  await expectSame(
    await build(out, ...args, "--from", join(work, "tree")),
    await build(again, ...args, "--from", join(work, "copy")),
  );
});

test("from an OCI image", { timeout: 20 * MINUTES }, async () => {
  const { stdout } = await run("tar", ["--create", "--directory", join(work, "tree"), "./usr"]);
  const put = async (bytes: Uint8Array, mediaType: string) => {
    const digest = hash("sha256", bytes);
    await write(`layout/blobs/sha256/${digest}`, bytes);
    return { mediaType, digest: `sha256:${digest}`, size: bytes.length };
  };
  const layer = await put(stdout, "application/vnd.oci.image.layer.v1.tar");
  const document = Buffer.from(JSON.stringify({ schemaVersion: 2, layers: [layer] }));
  const manifest = await put(document, "application/vnd.oci.image.manifest.v1+json");
  await write("layout/index.json", JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
  const image = await build(out, "--name", "contained", "--version", "1.0", "--oci", join(work, "layout"));
  await ashlar("extension", "verify", image, "--keys", keys);
});

test("from a Butane config: a confext", { timeout: 20 * MINUTES }, async () => {
  const config = (path: string): string =>
    `variant: flatcar\nversion: 1.0.0\nstorage: { files: [{ path: ${path}, contents: { inline: "hi" } }] }\n`;
  await write("site.bu", config("/etc/site.conf"));
  const image = await build(out, "--name", "site", "--version", "1", "--butane", join(work, "site.bu"));
  const { kind }: { kind: string } = JSON.parse(await ashlar("extension", "inspect", image, "--json"));
  assert.equal(kind, "confext");
  await write("site.bu", config("/opt/site.conf"));
  const refused = await ashlarWithStatus(
    "extension",
    "build",
    "--name",
    "site",
    "--version",
    "2",
    "--butane",
    join(work, "site.bu"),
    "--keys",
    keys,
    "--out",
    out,
  );
  assert.match(refused.stderr, /\$\.storage\.files\.0\.path: expected a path below \/etc/u);
});

test("what would hide a file of the release is refused, unless it is allowed", { timeout: 20 * MINUTES }, async () => {
  await write("shadow/usr/bin/containerd", "", 0o755);
  const args = ["--name", "shadow", "--version", "1", "--from", join(work, "shadow")];
  const common = ["--release", IMAGE_DIRECTORY, "--keys", keys, "--out", out];
  const refused = await ashlarWithStatus("extension", "build", ...args, ...common);
  assert.equal(refused.status, 69);
  assert.match(refused.stderr, /would replace the base's \/usr\/bin\/containerd/u);
  await build(out, ...args, "--replaces", "/usr/bin/containerd*");
});

test("a flipped byte is found, with its block and file", { timeout: 20 * MINUTES }, async () => {
  const whole = join(out, "tools-1.0-x86-64.raw");
  const damaged = join(again, "tools-1.0-x86-64.raw");
  await copyFile(whole, damaged);
  const bytes = await readFile(damaged);
  const { data } = parseDdi((offset, size) => bytes.subarray(offset, offset + size), bytes.length);
  await using file = await open(damaged, "r+");
  const offset = data.offsetBytes + 8 * 1024 * 1024 * Math.floor(data.sizeBytes / (16 * 1024 * 1024)) + 4096 * 20;
  await file.write(Buffer.of((bytes[offset] ?? 0) ^ 1), 0, 1, offset);
  const { status, stdout } = await ashlarWithStatus("extension", "verify", damaged, "--keys", keys);
  assert.equal(status, 1);
  assert.match(stdout.toString("utf8"), /partition 1 \(data\): block \d+ is not as released \(\/usr\//u);
});

test("the systemd of a node takes the image for a signed one", { timeout: 20 * MINUTES }, async () => {
  const trees = await makeDebianTrees(await readOsDefinition(), await chooseArchive({}), step);
  await withTemporaryDirectory(async (directory) => {
    const node = await BuildTree.unpack(trees.buildTar, join(directory, "node"), step);
    const args = ["--validate", "--image-policy=root=signed+absent", "/mnt/images/tools-1.0-x86-64.raw"];
    assert.match(await node.run("systemd-dissect", args, { binds: { "/mnt/images": out } }), /OK/u);
  }, cacheDirectory());
});
