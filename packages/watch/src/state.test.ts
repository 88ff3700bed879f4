import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { EMPTY_VERDICT } from "@ashlar/identity";
import { openState, type State } from "./state.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-state-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const KILLS = 20;

/** Kills the writer once it has written so often, or a little later. */
async function writeUntilKilled(path: string, writes: number): Promise<void> {
  const writer = spawn(process.execPath, [join(import.meta.dirname, "test-writer.ts"), path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let seen = 0;
  writer.stdout.on("data", (chunk: Buffer) => {
    seen += chunk.length;
    if (seen >= writes) writer.kill("SIGKILL");
  });
  await once(writer, "exit");
  assert.equal(writer.signalCode, "SIGKILL", "it would have gone on");
}

/** What a verdict rests on is what lies beside it, and nothing lies there that nobody needs. */
function check(path: string): number {
  using state = openState(path);
  const nodes = state.nodes();
  assert.deepEqual(
    nodes.map(({ name }) => name),
    ["a", "b", "c"],
  );
  for (const { name, verdict, provedAtMs } of nodes) {
    if (verdict === undefined) continue;
    assert.equal(verdict.release, String(provedAtMs));
    assert.equal(textOf(state, name, "own"), `${name} ${provedAtMs}`);
    assert.equal(textOf(state, name, "shared"), `log of ${(provedAtMs ?? 0) % 3}`);
  }
  // No change is told twice or left out: what is on its way alternates, and ends with what was told.
  const levels = new Map<string, string[]>();
  for (let message = state.nextMessage("two", Number.MAX_SAFE_INTEGER); message !== undefined;) {
    const { node, to } = message.changes[0] ?? assert.fail("a message tells of a change");
    levels.set(node, [...(levels.get(node) ?? []), to]);
    state.dropMessage(message.id);
    message = state.nextMessage("two", Number.MAX_SAFE_INTEGER);
  }
  for (const [node, told] of levels) {
    assert.ok(
      told.every((level, index) => level !== told[index - 1]),
      `${node}: ${told.join()}`,
    );
    assert.equal(told.at(-1), nodes.find(({ name }) => name === node)?.toldLevel);
  }
  return Math.max(...nodes.map(({ provedAtMs }) => provedAtMs ?? 0));
}

function textOf(state: State, node: string, file: string): string {
  return Buffer.from(state.file(node, file) ?? []).toString("utf8");
}

test(`killed ${KILLS} times while it writes, it has all of each write or nothing of it`, async () => {
  const path = join(directory, "killed.sqlite");
  let before = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    await writeUntilKilled(path, 1 + kill);
    const now = check(path);
    assert.ok(now >= before, "what was written stays");
    before = now;
  }
  assert.ok(before > KILLS / 2, "it went on each time");
  using database = new DatabaseSync(path, { readOnly: true });
  assert.equal(database.prepare("PRAGMA integrity_check").get()?.["integrity_check"], "ok");
  const unused = database.prepare(
    "SELECT count(*) AS count FROM content WHERE sha256 NOT IN (SELECT sha256 FROM evidence)",
  );
  assert.equal(unused.get()?.["count"], 0);
});

test("only one process has it, and no other file is taken for it", () => {
  const path = join(directory, "one.sqlite");
  {
    using _state = openState(path);
    assert.throws(() => openState(path), { name: "AshlarError", code: "conflict" });
  }
  openState(path)[Symbol.dispose]();
  const other = join(directory, "other.sqlite");
  {
    using database = new DatabaseSync(other);
    database.exec("CREATE TABLE mine (a)");
  }
  assert.throws(() => openState(other), { name: "AshlarError", code: "invalid", message: /another file/u });
  const text = join(directory, "text");
  writeFileSync(text, "no database at all, and long enough to be looked at as one ".repeat(20));
  assert.throws(() => openState(text), { name: "AshlarError", code: "invalid" });
  assert.throws(() => openState(join(text, "watch.sqlite")), { name: "AshlarError", code: "failed" });
});

test("nodes that leave the fleet are forgotten, with their evidence", () => {
  using state = openState(join(directory, "leaving.sqlite"));
  state.setNodes(new Set(["a", "b"]));
  const put = (name: string): void =>
    state.atOnce(() =>
      state.putAnswer({
        name,
        verdict: { ...EMPTY_VERDICT, name, level: "proven", differences: [] },
        provedAtMs: 1,
        evidence: new Map([["shared", "log"]]),
      }),
    );
  put("a");
  put("b");
  state.setNodes(new Set(["b", "c"]));
  assert.deepEqual(
    state.nodes().map(({ name, provedAtMs }) => [name, provedAtMs]),
    [
      ["b", 1],
      ["c", undefined],
    ],
  );
  assert.equal(textOf(state, "b", "shared"), "log");
  assert.equal(state.file("a", "shared"), undefined);
  assert.throws(() =>
    state.atOnce(() => {
      state.putSilence({ name: "b", askedAtMs: 2, why: "silent" });
      throw new Error("in between");
    }),
  );
  assert.equal(state.nodes()[0]?.silences, 0, "all or nothing");
});
