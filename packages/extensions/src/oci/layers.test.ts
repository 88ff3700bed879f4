import assert from "node:assert/strict";
import { test } from "node:test";
import { Layers } from "./layers.ts";
import type { TarEntry } from "@ashlar/formats";
import { entriesOf, header, tarOf } from "./test-archives.ts";

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
  startBytes: 0,
  endBytes: 512,
  offsetBytes: 512,
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
