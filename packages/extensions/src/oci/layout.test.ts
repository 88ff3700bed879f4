import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { hash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { stageOci } from "../sources/stage-oci.ts";
import { parseImageIndex, parseImageManifest } from "./documents.ts";
import { readLayers, unpackLayer } from "./layout.ts";
import { tarOf } from "./test-archives.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-oci-"));
after(() => rmSync(directory, { recursive: true }));

const SCRIPT = `
mkdir -p usr/bin usr/lib/${"d".repeat(90)}; echo hello > usr/bin/hello; chmod 755 usr/bin/hello
ln usr/bin/hello usr/bin/again; ln -s ../bin/hello usr/lib/link; echo deep > usr/lib/${"d".repeat(90)}/${"f".repeat(90)}
`;

const LAYER = "application/vnd.oci.image.layer.v1.tar";

/** An image layout with these layers. */
function layoutOf(layers: readonly { readonly bytes: Uint8Array; readonly mediaType: string }[]): string {
  const layout = mkdtempSync(join(directory, "layout-"));
  mkdirSync(join(layout, "blobs/sha256"), { recursive: true });
  const put = (bytes: Uint8Array, mediaType: string) => {
    const sha256 = hash("sha256", bytes);
    writeFileSync(join(layout, "blobs/sha256", sha256), bytes);
    return { mediaType, digest: `sha256:${sha256}`, size: bytes.length };
  };
  const config = put(Buffer.from("{}"), "application/vnd.oci.image.config.v1+json");
  const document = { schemaVersion: 2, config, layers: layers.map(({ bytes, mediaType }) => put(bytes, mediaType)) };
  const manifest = put(Buffer.from(JSON.stringify(document)), "application/vnd.oci.image.manifest.v1+json");
  const manifests = [{ ...manifest, platform: { os: "linux", architecture: "amd64" } }];
  writeFileSync(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  return layout;
}

async function stage(layout: string): Promise<{ readonly tree: string; readonly leftOut: readonly string[] }> {
  const tree = mkdtempSync(join(directory, "staged-"));
  const step = { signal: undefined, onProgress: () => undefined };
  const { leftOut } = await stageOci({
    layout,
    kind: "sysext",
    tree,
    work: mkdtempSync(join(directory, "work-")),
    step,
  });
  return { tree, leftOut };
}

test("an image becomes a tree of what is merged; the rest is said", async () => {
  const { tree, leftOut } = await stage(
    layoutOf([
      { bytes: tarOf(SCRIPT), mediaType: LAYER },
      {
        bytes: gzipSync(tarOf("mkdir -p usr/bin etc; touch usr/bin/.wh.again etc/passwd")),
        mediaType: `${LAYER}+gzip`,
      },
      { bytes: zstdCompressSync(tarOf("mkdir -p opt; echo zstd > opt/a; mkfifo pipe")), mediaType: `${LAYER}+zstd` },
    ]),
  );
  assert.equal(readFileSync(join(tree, "usr/bin/hello"), "utf8"), "hello\n");
  assert.equal(statSync(join(tree, "usr/bin/hello")).mode & 0o777, 0o755);
  assert.equal(readlinkSync(join(tree, "usr/lib/link")), "../bin/hello");
  assert.equal(readFileSync(join(tree, "opt/a"), "utf8"), "zstd\n");
  assert.equal(statSync(join(tree, "usr/bin/again"), { throwIfNoEntry: false }), undefined);
  assert.deepEqual(leftOut, ["/etc: 1 file", "/pipe: 1 file"]);
});

test("what an image must not have", async () => {
  const good = { bytes: tarOf("mkdir usr; touch usr/a"), mediaType: LAYER };
  await assert.rejects(stage(join(directory, "none")), { code: "not-found" });
  await assert.rejects(stage(layoutOf([{ bytes: tarOf("mkdir usr; mkfifo usr/p"), mediaType: LAYER }])), {
    code: "invalid",
    message: /found a pipe at \/usr\/p/u,
  });
  await assert.rejects(stage(layoutOf([{ ...good, mediaType: "text/plain" }])), {
    code: "invalid",
    message: /text\/plain/u,
  });
  await assert.rejects(stage(layoutOf([{ ...good, mediaType: `${LAYER}+gzip` }])), { code: "malformed" });
  const changed = layoutOf([good]);
  writeFileSync(join(changed, "blobs/sha256", hash("sha256", good.bytes)), tarOf("mkdir usr; touch usr/b"));
  await assert.rejects(stage(changed), { code: "untrusted" });
});

test("layers have one limit for all, and a layer that is named twice is unpacked once", async () => {
  const layout = layoutOf(
    [0, 1, 1, 1].map((each) => ({ bytes: tarOf(`mkdir usr; touch usr/${each}`), mediaType: LAYER })),
  );
  const layers = await readLayers({ directory: layout, tag: undefined });
  const out = join(directory, "out");
  const size = await unpackLayer(layout, layers[0]!, out, 100_000);
  await unpackLayer(layout, layers[0]!, out, size);
  await assert.rejects(unpackLayer(layout, layers[0]!, out, size - 1), {
    code: "limit",
    message: /layers of at most/u,
  });
  const read: string[] = [];
  const step = { signal: undefined, onProgress: (message: string) => read.push(message) };
  const [tree, work] = [mkdtempSync(join(directory, "staged-")), mkdtempSync(join(directory, "work-"))];
  await stageOci({ layout, kind: "sysext", tree, work, step });
  assert.equal(read.length, 2);
  assert.deepEqual(readdirSync(join(tree, "usr")), ["0", "1"]);
  assert.deepEqual(readdirSync(work), []);
  const one = { bytes: tarOf("mkdir usr"), mediaType: LAYER };
  const many = Array.from({ length: 129 }, () => one);
  await assert.rejects(stage(layoutOf(many)), { code: "malformed", message: /128/u });
});

test("a layout's image may have several tags, and of several images one is named by its tag", async () => {
  const [one, two] = ["a", "b"].map((name) =>
    layoutOf([{ bytes: tarOf(`mkdir usr; touch usr/${name}`), mediaType: LAYER }]),
  );
  assert.ok(one !== undefined && two !== undefined);
  const indexes = [one, two].map((layout) => JSON.parse(readFileSync(join(layout, "index.json"), "utf8")));
  const [image, other] = indexes.map(({ manifests }) => manifests[0]);
  cpSync(join(two, "blobs"), join(one, "blobs"), { recursive: true });
  const as = (manifest: object, tag: string): object => ({
    ...manifest,
    annotations: { "org.opencontainers.image.ref.name": tag, other: 1 },
  });
  const write = (...manifests: object[]): void =>
    writeFileSync(join(one, "index.json"), JSON.stringify({ ...indexes[0], manifests }));
  const names = async (layout: string): Promise<string[]> => readdirSync(join((await stage(layout)).tree, "usr"));
  write(as(image, "v1"), as(image, "latest"));
  assert.deepEqual(await names(one), ["a"]);
  assert.deepEqual(await names(`${one}:latest`), ["a"]);
  write(as(image, "v1"), as(other, "registry.example:5000/b:v2"), as(image, "latest"));
  assert.deepEqual(await names(`${one}:v1`), ["a"]);
  assert.deepEqual(await names(`${one}:registry.example:5000/b:v2`), ["b"]);
  await assert.rejects(stage(one), { code: "invalid", message: /found 2: v1, registry\.example:5000\/b:v2, latest/u });
  await assert.rejects(stage(`${one}:v3`), { code: "not-found", message: /with the tag v3, found v1, registry/u });
  write(as({ ...image, platform: { os: "linux", architecture: "arm64" } }, "v1"));
  await assert.rejects(stage(`${one}:v1`), { code: "invalid", message: /for linux\/amd64, found none/u });
  const withColon = `${one}:v1`;
  cpSync(two, withColon, { recursive: true });
  assert.deepEqual(await names(withColon), ["b"]);
});

test("pipes in place of a layout's files keep nobody waiting", async () => {
  const bytes = tarOf("mkdir usr; touch usr/a");
  for (const path of ["index.json", `blobs/sha256/${hash("sha256", bytes)}`]) {
    const layout = layoutOf([{ bytes, mediaType: LAYER }]);
    rmSync(join(layout, path));
    execFileSync("mkfifo", [join(layout, path)]);
    await assert.rejects(stage(layout), { message: /found a (?:pipe|FIFO)/iu });
  }
});

test("malformed documents: each field", () => {
  const digest = `sha256:${"ab".repeat(32)}`;
  const descriptor = { mediaType: LAYER, digest, size: 1 };
  const index = (change: object) => JSON.stringify({ schemaVersion: 2, manifests: [{ ...descriptor, ...change }] });
  assert.equal(parseImageIndex(index({}))[0]?.digest, digest);
  for (const [change, message] of [
    [{ mediaType: 1 }, /mediaType/u],
    [{ digest: "sha256:../x" }, /digest/u],
    [{ size: -1 }, /size/u],
    [{ platform: "linux" }, /platform/u],
  ] as const) {
    assert.throws(() => parseImageIndex(index(change)), { code: "malformed", message });
  }
  assert.throws(() => parseImageIndex("{}"), { code: "malformed", message: /schemaVersion/u });
  assert.throws(() => parseImageManifest('{"schemaVersion":2,"layers":[]}'), { code: "malformed", message: /layers/u });
  assert.throws(() => parseImageManifest(" ".repeat(5_000_000)), { code: "limit" });
});
