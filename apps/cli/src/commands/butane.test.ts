import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const directory = mkdtempSync(join(tmpdir(), "ashlar-butane-"));
after(() => rmSync(directory, { recursive: true }));

type Result = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

function butane(args: readonly string[], input = ""): Result {
  const main = join(import.meta.dirname, "../main.ts");
  return spawnSync(process.execPath, [main, "butane", ...args], { encoding: "utf8", input, cwd: directory });
}

const HEAD = "variant: flatcar\nversion: 1.0.0\n";
const EMPTY = '{"ignition":{"version":"3.3.0"}}\n';

test("standard input becomes standard output; --output and --output-dir write files", () => {
  assert.equal(butane(["-p"], HEAD).stdout, '{\n  "ignition": {\n    "version": "3.3.0"\n  }\n}\n');
  for (const name of ["one.bu", "two.yaml"]) writeFileSync(join(directory, name), HEAD);
  assert.equal(butane(["--output-dir", "ign", "one.bu", "two.yaml"]).status, 0);
  for (const name of ["one.ign", "two.ign"]) assert.equal(readFileSync(join(directory, "ign", name), "utf8"), EMPTY);
});

test("the reference's other options are understood", () => {
  assert.equal(butane(["--raw", "--strict"], HEAD).stdout, EMPTY);
  const { status, stdout } = butane(["-V"]);
  assert.deepEqual([status, stdout], [0, "Butane v0.23.0, as translated by Ashlar\n"]);
});

test("problems have their place, a caret and advice; warnings fail with --strict only", () => {
  const text = `${HEAD}systemd:\n  unit: []\n`;
  const lenient = butane([], text);
  assert.deepEqual([lenient.status, lenient.stdout], [0, EMPTY]);
  const expected =
    "standard input:4:3: warning at $.systemd.unit: expected a known key, found unit, which has no effect\n" +
    "  4 |   unit: []\n    |   ^\n  hint: did you mean units?\n";
  assert.equal(lenient.stderr, expected);
  const strict = butane(["--strict"], text);
  assert.deepEqual([strict.status, strict.stdout], [1, ""]);
  const json = JSON.parse(butane(["--json", "-c"], `${HEAD}storage: 1\n`).stdout);
  assert.equal(json.ignition, null);
  assert.deepEqual(
    [json.problems[0].severity, json.problems[0].path, json.problems[0].position],
    ["error", "$.storage", { line: 3, column: 10 }],
  );
});

test("wrong command lines end with status 64, files that cannot be written with 69", () => {
  const cases: readonly [readonly string[], number, RegExp][] = [
    [["a", "b"], 64, /expected one file, found 2/u],
    [["-o", "x", "--output-dir", "y"], 64, /cannot be used/u],
    [["-o", "none/x"], 69, /expected a file to write: ENOENT/u],
  ];
  for (const [args, status, message] of cases) {
    const result = butane(args, HEAD);
    assert.equal(result.status, status, args.join(" "));
    assert.match(result.stderr, message);
  }
});

test("--target ashlar checks the extensions that the config declares", () => {
  const link = (version: string): string =>
    `${HEAD}storage:\n  links: [{path: /etc/extensions/a.raw, target: /opt/extensions/a/a-${version}-x86-64.raw}]\n`;
  assert.equal(butane(["--check", "--target", "ashlar"], link("v1.2+k3s1")).status, 0);
  const { status, stderr } = butane(["--check", "--target", "ashlar"], link("v1.2_3"));
  assert.equal(status, 1);
  assert.match(stderr, /error: \/etc\/extensions\/a\.raw: expected a link.*\n.*not "_"/u);
  assert.equal(butane(["--check"], link("v1.2_3")).status, 0);
});
