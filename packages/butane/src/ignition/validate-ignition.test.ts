import assert from "node:assert/strict";
import { test } from "node:test";
import { IGNITION_VERSIONS, validateIgnition } from "../index.ts";

const VERSIONS = IGNITION_VERSIONS.map(({ version }) => version);

/** What a report says about a config of a version: severity and path of each problem. */
function problems(version: string, config: object): string[] {
  const text = JSON.stringify({ ...config, ignition: { version } });
  return validateIgnition(text).map(({ severity, path }) => `${severity} ${path}`);
}

/** For each of the versions, in their order, what is expected to be found. */
type Row = readonly [config: object, ...found: readonly (string | undefined)[]];

const file = (contents: object): object => ({ storage: { files: [{ path: "/a", contents }] } });
const SHA256 = `sha256-${"a".repeat(64)}`;
const error = (path: string): string => `error $.${path}`;
const warning = (path: string): string => `warning $.${path}`;

const SOURCE = error("storage.files.0.contents.source");
const HEADERS = warning("storage.files.0.contents.httpHeaders");
const HASH = error("storage.files.0.contents.verification.hash");
const MODE = warning("storage.files.0.mode");
const TARGET = error("storage.links.0.target");
const FORMAT = error("storage.filesystems.0.format");
const RESIZE = warning("storage.disks.0.partitions.0.resize");
const DISCARD = warning("storage.luks.0.discard");
const LUKS = warning("storage.luks");
const [none, KERNEL] = [undefined, warning("kernelArguments")];

const TABLE: readonly Row[] = [
  [file({ source: "gs://b/o" }), SOURCE, SOURCE, none, none, none],
  [file({ source: "arn:aws:s3:::b/k" }), SOURCE, SOURCE, SOURCE, SOURCE, none],
  [file({ source: "http://h/", httpHeaders: [{ name: "a", value: "b" }] }), HEADERS, none, none, none, none],
  [file({ source: "http://h/", verification: { hash: SHA256 } }), HASH, none, none, none, none],
  [{ storage: { files: [{ path: "/a", mode: 0o4755 }] } }, MODE, MODE, MODE, MODE, none],
  [{ storage: { links: [{ path: "/a" }] } }, none, none, none, TARGET, TARGET],
  [{ storage: { filesystems: [{ device: "/a", format: "none" }] } }, FORMAT, FORMAT, FORMAT, none, none],
  [
    { storage: { disks: [{ device: "/a", partitions: [{ number: 1, resize: true }] }] } },
    RESIZE,
    RESIZE,
    none,
    none,
    none,
  ],
  [{ storage: { luks: [{ name: "a", device: "/b", discard: true }] } }, LUKS, LUKS, DISCARD, DISCARD, none],
  [{ kernelArguments: { shouldExist: ["a"] } }, KERNEL, KERNEL, KERNEL, none, none],
];

test("each version has its keys and rules", () => {
  for (const [config, ...expected] of TABLE) {
    for (const [index, version] of VERSIONS.entries()) {
      const wanted = expected[index];
      const name = `${version} ${JSON.stringify(config)}`;
      assert.deepEqual(problems(version, config), wanted === undefined ? [] : [wanted], name);
    }
  }
});

test("what is no config of a known version is refused where it is wrong", () => {
  const cases: readonly [text: string, message: RegExp, column: number][] = [
    ["", /expected a value, found the end/u, 1],
    ["[]", /expected keys with values, found a list/u, 1],
    ["{}", /expected one of the versions 3\.0\.0, .*found none/u, 1],
    ['{"ignition":{"version":"2.3.0"}}', /found 2\.3\.0/u, 24],
    ['{"ignition":{"version":3}}', /expected text, found 3/u, 24],
    ['{"ignition":{"version":"3.3.0"}} x', /expected the end, found "x"/u, 34],
    ['{"ignition":{"version":"3.3.0",}}', /expected a text in quotes, found "\}"/u, 32],
    ['{"ignition":{"version":"3.3.0"},"storage":{"files":[{"path":1}]}}', /expected text, found 1/u, 61],
    [
      '{"ignition":{"version":"3.3.0"},"storage":{"files":[{"path":"/a","mode":1.5}]}}',
      /whole number, found 1\.5/u,
      73,
    ],
    ['{"ignition":{"version":"3.3.0"},"storage":{"files":[null]}}', /expected an absolute path, found none/u, 53],
    ["[".repeat(1000), /expected at most 64 lists and objects/u, 0],
    [
      `{"ignition":{"version":"3.3.0"},"storage":{"files":[{"path":"/a","mode":${"9".repeat(99)}}]}}`,
      /whole number/u,
      73,
    ],
  ];
  for (const [text, message, column] of cases) {
    const [problem] = validateIgnition(text);
    assert.equal(problem?.severity, "error", text);
    assert.match(problem.message, message);
    assert.equal(problem.position?.column ?? 0, column, text);
  }
});

test("a key that comes twice, and one that Ignition takes for another, are errors with their place", () => {
  const config = (files: string): string => `{"ignition":{"version":"3.3.0"},"storage":{"files":[${files}]}}`;
  const cases: readonly [text: string, path: string, message: RegExp][] = [
    ['{"path":"/a","contents":{"source":"https://a/"},"contents":{}}', "0.contents", /once, found contents again/u],
    ['{"path":"/a","contents":{"\u017Fource":"https://a/"}}', "0.contents.\u017Fource", /expected source, found/u],
    [
      '{"path":"/a","contents":{"\\u017fource":"https://a/"}}',
      "0.contents.\u017Fource",
      /which Ignition takes for it/u,
    ],
    ['{"path":"/a","Mode":1}', "0.Mode", /expected mode, found Mode/u],
    ['{"path":"/a","overwrite":true,"OVERWRITE":false}', "0.OVERWRITE", /expected overwrite, found OVERWRITE/u],
  ];
  for (const [text, path, message] of cases) {
    const [problem, ...others] = validateIgnition(config(text));
    assert.deepEqual([problem?.severity, problem?.path, others.length], ["error", `$.storage.files.${path}`, 0], text);
    assert.match(problem?.message ?? "", message);
    assert.ok((problem?.position?.column ?? 0) > 50);
  }
});

test("unknown keys come with the nearest known one", () => {
  const [problem] = validateIgnition('{"ignition":{"version":"3.3.0"},\n "storage":{"fils":[]}}');
  assert.deepEqual(
    [problem?.path, problem?.position, problem?.hint],
    ["$.storage.fils", { line: 2, column: 13 }, "did you mean files?"],
  );
});
