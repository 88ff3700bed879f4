/** Several nodes, one after the other: stopped by whoever started it, or by a node that is not proven, it can be repeated. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { levelWithNextBoot } from "@ashlar/identity";
import type { Lab } from "@ashlar/lab";
import { ROOT_FILE } from "@ashlar/keys";
import { type Turn, UpdateLab } from "../e2e/update-lab.ts";
import { FAULTY, makeReleases, NEW, OLD, type Releases } from "../e2e/update-releases.ts";
import { ashlar, ashlarWithStatus, OUT, prove, removeLabOnSignal, ROOT } from "../e2e/world.ts";

const MINUTES = 60_000;
const NAME = "e2e-fleet";
const INTERRUPTED = 130;
const directory = join(OUT, "fleet");
let releases: Releases;
let lab: Lab;

removeLabOnSignal(NAME);

before(
  async () => {
    releases = await makeReleases();
    ({ lab } = await UpdateLab.up(NAME, releases, OLD, releases.repository, 2));
  },
  { timeout: 60 * MINUTES },
);

after(async () => {
  await ashlar("lab", "down", "--name", NAME);
  await rm(directory, { recursive: true, force: true });
});

async function update(to: string): Promise<{ readonly status: number; readonly turns: readonly Turn[] }> {
  const { status, stdout } = await ashlarWithStatus("update", "--lab", NAME, "--to", to, "--json");
  const { nodes }: { nodes: Turn[] } = JSON.parse(stdout.toString("utf8"));
  console.log(`  ${to}: ${nodes.map(({ outcome, reason }) => `${outcome} ${reason?.code ?? ""}`).join(", ")}`);
  return { status, turns: nodes };
}

/** Presses Ctrl-C as soon as the command says something. Gives its exit status. */
async function updateUntil(to: string, said: RegExp): Promise<number | null> {
  const child = spawn(join(ROOT, "ashlar"), ["update", "--lab", NAME, "--to", to], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exit = once(child, "exit");
  for await (const line of createInterface(child.stderr)) {
    if (!said.test(line)) continue;
    console.log(`  Ctrl-C at: ${line}`);
    child.kill("SIGINT");
    break;
  }
  const [status]: (number | null)[] = await exit;
  return status ?? null;
}

async function proven(): Promise<string[]> {
  const { nodes } = (await prove("--lab", NAME)).fleet;
  return nodes.map((node) => `${levelWithNextBoot(node)} ${node.release}`);
}

test(
  "Ctrl-C while a node fetches: nothing has changed, and it can be repeated",
  { timeout: 60 * MINUTES },
  async () => {
    assert.equal(await updateUntil(NEW, /node-1: fetching/u), INTERRUPTED);
    assert.deepEqual(await proven(), [`proven ${OLD}`, `proven ${OLD}`]);
    const { status, turns } = await update(NEW);
    assert.deepEqual([status, turns.map(({ outcome }) => outcome)], [0, ["updated", "updated"]]);
    assert.deepEqual(await proven(), [`proven ${NEW}`, `proven ${NEW}`]);
  },
);

test(
  "it ends at the first node that is not proven, and leaves the others alone",
  { timeout: 60 * MINUTES },
  async () => {
    const extend = "/usr/lib/systemd/systemd-pcrextend --bank=sha256 --pcr=13 something";
    const { status: extended } = await lab.ssh("node-1", ["sudo", "-n", extend]);
    assert.equal(extended, 0);
    const { status, turns } = await update(FAULTY);
    assert.deepEqual([status, turns.map(({ outcome }) => outcome)], [1, ["stopped", "untouched"]]);
    await ashlar("lab", "restart", "node-1", "--name", NAME);
    assert.deepEqual(await proven(), [`proven ${NEW}`, `proven ${NEW}`]);
  },
);

test("Ctrl-C while a node restarts: repeated, it goes on there", { timeout: 60 * MINUTES }, async () => {
  assert.equal(await updateUntil(FAULTY, /node-1: restarting/u), INTERRUPTED);
  const { status, turns } = await update(FAULTY);
  assert.equal(status, 0);
  assert.match(turns[0]?.outcome ?? "nothing", /^(?:updated|already)$/u);
  assert.equal(turns[1]?.outcome, "updated");
  assert.deepEqual(await proven(), [`proven ${FAULTY}`, `proven ${FAULTY}`]);
});

test("nodes of no lab, by their URLs", { timeout: 60 * MINUTES }, async () => {
  const [node] = lab.nodes;
  const { host } = new URL(node?.agentUrl ?? "");
  await mkdir(directory, { recursive: true });
  const [classConfig, pins] = [join(directory, "class.ign"), join(directory, "pins.json")];
  await writeFile(classConfig, node?.classConfig ?? "");
  await writeFile(join(directory, `${host}.ign`), node?.nodeConfig ?? "");
  const place = ["--nodes", `https://${host}`, "--config", classConfig, "--node-configs", directory];
  const trust = ["--ek-roots", lab.ekRootsPath, "--pins", pins];
  const roots = ["--releases", releases.repository, "--release-root", join(releases.keys, ROOT_FILE)];
  const order = ["--to", NEW, "--allow-downgrade", "--no-reboot", "--operator-key", lab.operatorKeyPath];
  const { stdout } = await ashlarWithStatus("update", ...place, ...trust, ...roots, ...order, "--json");
  const { nodes }: { nodes: Turn[] } = JSON.parse(stdout.toString("utf8"));
  assert.deepEqual(
    nodes.map(({ outcome, from }) => `${outcome} ${from}`),
    [`staged ${FAULTY}`],
    JSON.stringify(nodes),
  );
  const image = ["--image", releases.image(FAULTY)];
  const { nodes: judged } = (await prove(...place, ...trust, ...roots, ...image)).fleet;
  assert.deepEqual(
    judged.map((each) => [levelWithNextBoot(each), each.release, each.nextBoot?.release]),
    [["proven", FAULTY, NEW]],
    JSON.stringify(judged),
  );
});
