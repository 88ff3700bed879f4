/** prove, update --component and debug as users give them, against an agent with a real TPM. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { TestAuthority, TestNode } from "@ashlar/identity/test-fixtures";
import {
  CONFIG,
  ExtensionMachine,
  NEW,
  OLD,
  OPERATOR_PEM,
  RELEASE,
  TOOLS,
  WRONG_NEXT_BOOT,
} from "@ashlar/rollout/test-fixtures";

const directory = mkdtempSync(join(tmpdir(), "ashlar-extensions-of-nodes-"));
after(() => rmSync(directory, { recursive: true }));
const inside = (name: string): string => join(directory, name);

const authority = new TestAuthority();
const machine = new ExtensionMachine(new TestNode(authority));
const agent = await machine.start();
after(async () => agent[Symbol.asyncDispose]());

mkdirSync(inside("extensions"));
for (const each of [OLD, NEW, TOOLS]) {
  const name = `${each.name}-${each.version}-x86-64.manifest.json`;
  writeFileSync(join(inside("extensions"), name), JSON.stringify(each));
}
writeFileSync(inside("manifest.json"), JSON.stringify(RELEASE));
writeFileSync(inside("class.ign"), CONFIG);
writeFileSync(inside("makers.pem"), authority.roots);
writeFileSync(inside("operator.pem"), OPERATOR_PEM);

const KNOWN = ["--image", inside("manifest.json"), "--config", inside("class.ign"), "--ek-roots", inside("makers.pem")];
const STATE = ["--pins", inside("pins.json"), "--extension", inside("extensions")];
const OPERATOR = ["--operator-key", inside("operator.pem")];

/** The agent is in this process, so that it must not wait. */
async function ashlar(
  command: string,
  ...args: readonly string[]
): Promise<{ status: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [
    join(import.meta.dirname, "../main.ts"),
    command,
    ...KNOWN,
    ...STATE,
    ...args,
  ]);
  const { promise, resolve } = Promise.withResolvers<number>();
  child.once("close", (status) => resolve(status ?? -1));
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), promise]);
  return { status, stdout, stderr };
}

test("proved, updated without a restart, debugged, and proved again", async () => {
  const first = await ashlar("prove", "--nodes", agent.url);
  assert.equal(first.status, 0, first.stderr + first.stdout);
  assert.match(first.stdout, /^ {2}sysext kubernetes v1\.33\.2 \([0-9a-f]{12}\): v1\.33\.5 is published$/mu);

  const updated = await ashlar("update", "--nodes", agent.url, "--component", "kubernetes", ...OPERATOR);
  assert.equal(updated.status, 0, updated.stderr + updated.stdout);
  assert.match(updated.stdout, /updated +v1\.33\.2 +v1\.33\.5/u);
  assert.match(
    updated.stderr,
    /: telling it to take kubernetes to v1\.33\.5\n.*: has kubernetes v1\.33\.5: proven\n$/su,
  );

  const debug = ["--url", agent.url, "--with", "debug-tools", ...OPERATOR];
  const begun = await ashlar("debug", ...debug, "--for", "1h");
  assert.equal(begun.status, 0, begun.stderr + begun.stdout);
  assert.match(begun.stdout, /: debug-tools 1\.0 is merged until .*Z; proven, with this exception$/mu);
  const during = await ashlar("prove", "--nodes", agent.url, "--json");
  const { nodes }: { nodes: { level: string; extensions: { name: string; note: string }[] }[] } = JSON.parse(
    during.stdout,
  );
  assert.deepEqual(
    nodes.map(({ level, extensions }) => [level].concat(extensions.map(({ name, note }) => `${name}: ${note}`))),
    [["proven", "debug-tools: debug session", "kubernetes: v1.33.2 earlier in this boot"]],
  );
  const elsewhere = await ashlar("prove", "--nodes", agent.url, "--pins", inside("elsewhere/pins.json"));
  assert.equal(elsewhere.status, 1, "a session is known where it was begun");
  assert.match(elsewhere.stdout, /extension debug-tools: expected nothing: it is not declared, found 1\.0$/mu);
  const ended = await ashlar("debug", ...debug, "--end", "--json");
  assert.equal(ended.status, 0, ended.stderr + ended.stdout);
  assert.equal(JSON.parse(ended.stdout).version, null);
  const last = await ashlar("prove", "--nodes", agent.url);
  assert.match(last.stdout, /^ {2}1\.0 of debug-tools was merged earlier in this boot$/mu);

  machine.nextBoot = WRONG_NEXT_BOOT;
  const wrong = await ashlar("debug", ...debug, "--for", "1h");
  assert.equal(wrong.status, 1, "what it runs is proven, and what it boots next is a mismatch");
  assert.match(
    wrong.stdout,
    /; proven, with this exception\n {2}next boot, EFI variable LoaderEntryDefault: expected none/u,
  );
});
