import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { readFailures, recordFailure } from "../failures.ts";
import { nodePaths, type NodePaths } from "../../shared/node-paths.ts";
import { failedUnits } from "./built-in-checks.ts";
import type { Check } from "./run-check.ts";
import { readHealth, runHealth } from "./run-health.ts";

const GOOD: Check = { name: "good", run: async () => await Promise.resolve() };

type TestNode = Disposable & { readonly root: string; readonly paths: NodePaths };

/** A node with nothing but what the checks look at. `trial`: systemd-boot counted this boot. */
function makeNode(trial: boolean): TestNode {
  const root = mkdtempSync(join(tmpdir(), "ashlar-health-"));
  const paths = nodePaths(root);
  const entry = trial ? "ashlar_1.1.0+2-1.efi" : "ashlar_1.1.0.efi";
  const variable = "LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
  for (const [path, content] of [
    [paths.osRelease, 'IMAGE_VERSION="1.1.0"\n'],
    [paths.commandLine, `usrhash=${"ab".repeat(32)}\n`],
    [paths.bootId, "the-boot\n"],
    [join(paths.esp, "EFI/Linux", entry), ""],
    // It is still set after the entry has been blessed.
    [join(paths.efiVariables, variable), `\0\0\0\0${"\\EFI\\Linux\\ashlar_1.1.0+2-1.efi\0".split("").join("\0")}\0`],
  ] as const) {
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, content, "latin1");
  }
  return { root, paths, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

function addCheck({ paths }: TestNode, name: string, script: string, mode = 0o755): void {
  const directory = paths.healthDirectories[name.startsWith("etc-") ? 1 : 0] ?? "";
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), script, { mode });
}

await test("every executable is run, and nothing else", async () => {
  using node = makeNode(false);
  addCheck(node, "10-good", "#!/bin/sh\nexit 0\n");
  addCheck(node, "README", "no check\n", 0o644);
  addCheck(node, ".hidden", "#!/bin/sh\nexit 1\n");
  addCheck(node, "etc-bad", "#!/bin/sh -e\necho to stdout\necho to stderr >&2\nexit 3\n");
  const { healthy, trial, checks } = await runHealth(node.paths, 5000, [GOOD]);
  assert.deepEqual([healthy, trial], [false, false]);
  assert.deepEqual(
    checks.map(({ name, passed }) => [name.split("/").at(-1), passed]),
    [
      ["good", true],
      ["10-good", true],
      ["etc-bad", false],
    ],
  );
  assert.match(checks[2]?.message ?? "", /ended with status 3\nto stdout\nto stderr$/u);
  assert.deepEqual(await readHealth(node.paths), { healthy, checks });
  assert.deepEqual(await readFailures(node.paths.state), [], "not on trial: reported only");
});

await test("checks that are not run because they are too many are a failure", async () => {
  using node = makeNode(false);
  for (let index = 0; index < 50; index++) addCheck(node, `check-${index}`, "#!/bin/sh\nexit 0\n");
  const { healthy, checks } = await runHealth(node.paths, 30_000, [GOOD]);
  assert.equal(healthy, false);
  assert.match(checks.at(-1)?.message ?? "", /at most 48, found 50/u);
});

await test("on trial a failure is recorded; a healthy boot clears the release's name", async () => {
  using node = makeNode(true);
  const bad: Check = { name: "bad", run: async () => await Promise.reject(new Error("it is bad")) };
  assert.equal((await runHealth(node.paths, 5000, [GOOD, bad])).trial, true);
  const [failure, ...others] = await readFailures(node.paths.state);
  assert.deepEqual(others, []);
  assert.deepEqual(
    { ...failure, at: "" },
    { version: "1.1.0", bootId: "the-boot", at: "", check: "bad", message: "it is bad" },
  );
  await recordFailure(node.paths.state, {
    version: "1.2.0",
    bootId: null,
    at: "2026-01-01T00:00:00Z",
    check: "x",
    message: "",
  });
  await runHealth(node.paths, 5000, [GOOD]);
  assert.deepEqual(
    (await readFailures(node.paths.state)).map(({ version }) => version),
    ["1.2.0"],
  );
});

await test("without the ESP a counted boot is a trial still", async () => {
  using node = makeNode(false);
  rmSync(node.paths.esp, { recursive: true });
  assert.equal((await runHealth(node.paths, 5000, [GOOD])).trial, true);
});

await test("a check that hangs is killed with all it started, and its last lines are kept", async () => {
  using node = makeNode(true);
  const mark = join(node.root, "mark");
  addCheck(
    node,
    "hangs",
    `#!/bin/sh\nseq 1 20000\necho waiting for the network\n(sleep 1; touch ${mark}) &\nsleep 60\n`,
  );
  const { checks } = await runHealth(node.paths, 300, [GOOD]);
  assert.match(checks[1]?.message ?? "", /no answer within 0.3 s: [^]*20000\nwaiting for the network$/u);
  assert.ok((checks[1]?.message.length ?? 0) <= 2000);
  await setTimeout(1200);
  assert.equal(existsSync(mark), false, "its child lives on");
});

await test("a check that ends leaves no children either, and one that holds the output does not hold us", async () => {
  using node = makeNode(false);
  const mark = join(node.root, "mark");
  addCheck(node, "forks", `#!/bin/sh\n(sleep 1; touch ${mark}) &\nsetsid sleep 3 &\nexit 0\n`);
  const { checks } = await runHealth(node.paths, 5000, []);
  assert.equal(checks[0]?.passed, true);
  assert.ok((checks[0]?.durationMs ?? 0) < 2500, `${checks[0]?.durationMs} ms`);
  await setTimeout(1200);
  assert.equal(existsSync(mark), false);
});

await test("a built-in check that never answers fails in time", async () => {
  using node = makeNode(false);
  const silent: Check = { name: "silent", run: async () => await new Promise(() => undefined) };
  const { checks } = await runHealth(node.paths, 100, [silent]);
  assert.deepEqual([checks[0]?.passed, checks[0]?.message], [false, "no answer within 0.1 s"]);
});

await test("at most 16 failures are kept, the newest first; a damaged file counts as none", async () => {
  using node = makeNode(false);
  const { state } = node.paths;
  for (let index = 0; index < 18; index++) {
    await recordFailure(state, { version: `${index}`, bootId: null, at: "", check: "x", message: "m".repeat(5000) });
  }
  const failures = await readFailures(state);
  assert.deepEqual([failures.length, failures[0]?.version, failures[0]?.message.length], [16, "17", 2000]);
  writeFileSync(join(state, "failures.json"), readFileSync(join(state, "failures.json"), "utf8").slice(0, 100));
  assert.deepEqual(await readFailures(state), []);
});

await test("failed units, without those that look at the boot", () => {
  const output = `containerd.service loaded failed failed containerd
ashlar-health.service loaded failed failed Find out
ashlar-update.service loaded failed failed Update
x@1.service not-found failed failed X
`;
  assert.deepEqual(failedUnits(output), ["containerd.service", "x@1.service"]);
  assert.deepEqual(failedUnits(""), []);
});
