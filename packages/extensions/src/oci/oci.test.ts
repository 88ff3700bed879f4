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
import { AshlarError } from "@ashlar/base";
import fc from "fast-check";
import { stageOci } from "../sources/stage-oci.ts";
import { parseImageIndex, parseImageManifest } from "./documents.ts";
import { Layers } from "./layers.ts";
import { readLayers, unpackLayer } from "./layout.ts";
import { readTar, type TarEntry } from "./tar.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-oci-"));
after(() => rmSync(directory, { recursive: true }));

function entriesOf(archive: Uint8Array): TarEntry[] {
  return [...readTar((offset, size) => archive.subarray(offset, offset + size), archive.length)];
}

/** An archive by GNU tar of what a script makes. */
function tarOf(script: string, ...options: readonly string[]): Buffer {
  const tree = mkdtempSync(join(directory, "tree-"));
  execFileSync("sh", ["-ec", script], { cwd: tree });
  return execFileSync("tar", ["--create", "--owner=0", "--group=0", "--mtime=@0", "--sort=name", ...options, "."], {
    cwd: tree,
    maxBuffer: 2 ** 26,
  });
}

const SCRIPT = `
mkdir -p usr/bin usr/lib/${"d".repeat(90)}; echo hello > usr/bin/hello; chmod 755 usr/bin/hello
ln usr/bin/hello usr/bin/again; ln -s ../bin/hello usr/lib/link; echo deep > usr/lib/${"d".repeat(90)}/${"f".repeat(90)}
`;

for (const format of ["ustar", "gnu", "pax"]) {
  test(`GNU tar's archives: ${format}`, () => {
    const entries = entriesOf(tarOf(SCRIPT, `--format=${format}`));
    const first = entries.find(({ type }) => type === "hard-link");
    assert.deepEqual(
      entries.map(({ path, type }) => `${type} ${path}`).toSorted(),
      [
        "directory ",
        "directory usr",
        "directory usr/bin",
        "directory usr/lib",
        `directory usr/lib/${"d".repeat(90)}`,
        "file usr/bin/again",
        `file usr/lib/${"d".repeat(90)}/${"f".repeat(90)}`,
        "hard-link usr/bin/hello",
        "link usr/lib/link",
      ].toSorted(),
    );
    assert.equal(first?.linkTarget, "./usr/bin/again");
    assert.equal(entries.find(({ type }) => type === "link")?.linkTarget, "../bin/hello");
    assert.equal(entries.find(({ path }) => path === "usr/bin/again")?.mode, 0o755);
  });
}

/** A header of our own making. */
function header(fields: {
  readonly path?: string;
  readonly flag?: string;
  readonly size?: string;
  readonly target?: string;
  readonly sum?: string;
}): Buffer {
  const bytes = Buffer.alloc(512);
  bytes.write(fields.path ?? "usr/a");
  bytes.write("0000644\0", 100);
  bytes.write(fields.size ?? "00000000000\0", 124);
  bytes.fill(" ", 148, 156);
  bytes.write(fields.flag ?? "0", 156);
  bytes.write(fields.target ?? "", 157);
  bytes.write("ustar\x0000", 257);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(fields.sum ?? `${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return bytes;
}

test("malformed archives: each field", () => {
  const end = Buffer.alloc(1024);
  assert.equal(entriesOf(Buffer.concat([header({}), end]))[0]?.path, "usr/a");
  const malformed: readonly [readonly Buffer[], RegExp][] = [
    [[header({}).subarray(0, 511)], /header of 512 bytes/u],
    [[header({ path: "usr/../../etc/passwd" })], /path inside the archive/u],
    [[header({ flag: "V" })], /known type of entry/u],
    [[header({ size: "00000001000\0" })], /512 bytes of content, found the end/u],
    [[header({ size: "9999\0" })], /octal digits/u],
    [[header({ sum: "000001\0 " })], /checksum/u],
    [[header({ flag: "x", size: "00000000010\0" }), pad("3 a=b\n")], /pax records/u],
    [[header({ flag: "x", size: "00000000011\0" }), pad("9 size=x\n")], /size: expected a decimal/u],
    [[header({ flag: "L", size: "00000000006\0" }), pad("../../x"), header({})], /path inside the archive/u],
  ];
  for (const [blocks, message] of malformed) {
    assert.throws(() => entriesOf(Buffer.concat(blocks)), { code: "malformed", message });
  }
  const long = [header({ flag: "L", size: "00010000000\0" }), Buffer.alloc(2 ** 21)];
  assert.throws(() => entriesOf(Buffer.concat(long)), { code: "limit" });
});

function pad(text: string): Buffer {
  const bytes = Buffer.alloc(512);
  bytes.write(text);
  return bytes;
}

test("a size in base 256", () => {
  const bytes = header({ size: "\0".repeat(12) });
  bytes[124] = 0x80;
  bytes[135] = 3;
  bytes.fill(" ", 148, 156);
  bytes.write(
    `${bytes
      .reduce((total, byte) => total + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
  );
  assert.equal(entriesOf(Buffer.concat([bytes, pad("abc")]))[0]?.sizeBytes, 3);
});

test("fuzz: an archive gives entries or an AshlarError", () => {
  const seeds = ["gnu", "pax"].map((format) => tarOf(SCRIPT, `--format=${format}`));
  const edit = fc.tuple(fc.nat(8000), fc.nat(255));
  fc.assert(
    fc.property(fc.constantFrom(...seeds), fc.array(edit, { maxLength: 4 }), (seed, edits) => {
      const bytes = Buffer.from(seed);
      for (const [offset, value] of edits) bytes[offset % bytes.length] = value;
      try {
        new Layers().add(entriesOf(bytes));
      } catch (error) {
        assert.ok(error instanceof AshlarError, String(error));
      }
    }),
  );
});

function layered(...scripts: readonly string[]): string[] {
  const layers = new Layers();
  for (const script of scripts) layers.add(entriesOf(tarOf(script)));
  return layers.nodes().map(({ path, type }) => (type === "directory" ? `${path}/` : path));
}

test("layers: whiteouts hide what is below them, and nothing of their own layer", () => {
  assert.deepEqual(layered("mkdir usr; touch usr/a usr/b", "mkdir usr; touch usr/.wh.a usr/c"), [
    "usr/",
    "usr/b",
    "usr/c",
  ]);
  assert.deepEqual(layered("mkdir -p usr/d; touch usr/d/a", "mkdir -p usr/d; touch usr/d/.wh..wh..opq usr/d/new"), [
    "usr/",
    "usr/d/",
    "usr/d/new",
  ]);
  assert.deepEqual(layered("mkdir -p usr/d; touch usr/d/a", "mkdir usr; touch usr/.wh.d"), ["usr/"]);
  assert.deepEqual(layered("mkdir -p usr/d; touch usr/d/a", "mkdir usr; touch usr/d"), ["usr/", "usr/d"]);
});

test("layers: a path through a link goes where the link leads, and never out", () => {
  assert.deepEqual(layered("mkdir -p usr/lib; ln -s usr/lib lib", "mkdir lib; touch lib/a"), [
    "lib/",
    "lib/a",
    "usr/",
    "usr/lib/",
  ]);
  const layers = new Layers();
  layers.add(
    entriesOf(
      Buffer.concat([header({ path: "usr/lib", flag: "5" }), header({ path: "lib", flag: "2", target: "usr/lib" })]),
    ),
  );
  layers.add(entriesOf(header({ path: "lib/a" })));
  assert.ok(layers.nodes().some(({ path }) => path === "usr/lib/a"));
  const out = new Layers();
  out.add(entriesOf(header({ path: "usr/out", flag: "2", target: "../../../../tmp" })));
  out.add(entriesOf(header({ path: "usr/out/evil" })));
  assert.ok(out.nodes().some(({ path }) => path === "tmp/evil"));
  const loop = new Layers();
  loop.add(entriesOf(header({ path: "usr/loop", flag: "2", target: "loop" })));
  assert.throws(() => loop.add(entriesOf(header({ path: "usr/loop/a" }))), { code: "malformed", message: /40 links/u });
  assert.throws(() => loop.add(entriesOf(header({ path: "usr/b", flag: "1", target: "usr/none" }))), {
    code: "malformed",
  });
  loop.add(entriesOf(header({ path: "usr/file" })));
  assert.throws(() => loop.add(entriesOf(header({ path: "usr/file/a" }))), {
    code: "malformed",
    message: /found a file/u,
  });
});

test("layers: an opaque whiteout hides what is below its layer's own directory, wherever its entry stands", () => {
  const lower = [
    header({ path: "usr/target/keep" }),
    header({ path: "usr/link", flag: "2", target: "target" }),
    header({ path: "usr/old/gone" }),
  ];
  for (const whiteout of ["usr/link/.wh..wh..opq", "usr/link/.wh.keep"]) {
    const layers = new Layers();
    layers.add(entriesOf(Buffer.concat(lower)));
    const upper = [whiteout, "usr/old/.wh..wh..opq"].map((path) => header({ path }));
    upper.push(header({ path: "usr/link", flag: "5" }), header({ path: "usr/link/new" }));
    layers.add(entriesOf(Buffer.concat(upper)));
    const paths = layers.nodes().map(({ path }) => path);
    assert.deepEqual(paths, ["usr/link", "usr/link/new", "usr/target/keep"]);
  }
});

test("layers: what comes before its layer's own directories goes into them, not to where a link led", () => {
  const lower = [
    header({ path: "usr/target/keep" }),
    header({ path: "usr/target/sub/keep" }),
    header({ path: "usr/link", flag: "2", target: "target" }),
    header({ path: "usr/file" }),
  ];
  const cases: readonly [string, readonly string[]][] = [
    ["usr/link/sub/.wh..wh..opq", []],
    ["usr/link/sub/.wh.keep", []],
    ["usr/link/sub/new", ["usr/link/sub/new"]],
    ["usr/file/.wh..wh..opq", []],
  ];
  for (const [first, brought] of cases) {
    const layers = new Layers();
    layers.add(entriesOf(Buffer.concat(lower)));
    const upper = ["usr/link/sub", "usr/link", "usr/file"].map((path) => header({ path, flag: "5" }));
    layers.add(entriesOf(Buffer.concat([header({ path: first }), ...upper])));
    assert.deepEqual(
      layers.nodes().map(({ path, type }) => `${path}${type === "directory" ? "/" : ""}`),
      ["usr/file/", "usr/link/", "usr/link/sub/", ...brought, "usr/target/keep", "usr/target/sub/keep"],
      first,
    );
  }
});

/** What an entry without names of its own says. */
const ENTRY: TarEntry = {
  path: "",
  type: "file",
  mode: 0o644,
  linkTarget: "",
  offsetBytes: 0,
  sizeBytes: 0,
  attributes: [],
};
const repeated = (count: number, entry: (index: number) => Partial<TarEntry>): TarEntry[] =>
  Array.from({ length: count }, (_, index) => ({ ...ENTRY, ...entry(index) }));

for (const [name, ...layers] of [
  ["deep paths", repeated(1, () => ({ path: "a/".repeat(2000) }))],
  ["steps in paths", repeated(50_000, (index) => ({ path: `${"a/".repeat(500)}${index}` }))],
  [
    "steps through links",
    repeated(50_000, (index) =>
      index === 0 ? { path: "l", type: "link", linkTarget: "./".repeat(2000) } : { path: "l/a" },
    ),
  ],
  ["whiteouts over many files", repeated(50_000, (index) => ({ path: index % 2 ? "a/.wh..wh..opq" : `a/${index}` }))],
  ["places", repeated(2000, (index) => ({ path: `${index}${`/${"n".repeat(1000)}`.repeat(500)}` }))],
  ["names of attributes", repeated(50_000, () => ({ path: "a", attributes: ["n".repeat(20_000)] }))],
  ["entries", ...Array.from({ length: 30 }, () => repeated(100_000, () => ({})))],
] as const) {
  test(`layers: ${name} have a limit, and are no deeper than the stack`, () => {
    const since = process.cpuUsage();
    assert.throws(
      () => {
        const all = new Layers();
        for (const layer of layers) all.add(layer);
      },
      { code: "limit", message: /^.{0,250}$/u },
    );
    const { user, system } = process.cpuUsage(since);
    // Without limits: minutes, or more memory than there is.
    assert.ok((user + system) / 1e6 < 30, `${(user + system) / 1e6} s of processor time`);
  });
}

test("a tar archive's link targets and extended headers have limits", () => {
  const target = (bytes: number): Buffer[] => {
    const text = "a".repeat(bytes);
    return [
      header({ flag: "K", size: `${bytes.toString(8).padStart(11, "0")}\0` }),
      padded(text),
      header({ flag: "2" }),
    ];
  };
  assert.equal(entriesOf(Buffer.concat(target(4096)))[0]?.linkTarget.length, 4096);
  assert.throws(() => entriesOf(Buffer.concat(target(4097))), { code: "malformed", message: /link's target/u });
  const record = "27 SCHILY.xattr.user.a=bbb\n";
  const attribute = [header({ flag: "x", size: "00000000033\0" }), pad(record)];
  const entries = entriesOf(Buffer.concat([...attribute, ...attribute, header({})]));
  assert.deepEqual(entries[0]?.attributes, ["user.a"]);
});

function padded(text: string): Buffer {
  const bytes = Buffer.alloc(Math.ceil(text.length / 512) * 512);
  bytes.write(text);
  return bytes;
}

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
