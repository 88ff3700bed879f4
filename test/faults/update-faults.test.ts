/** Releases that something is wrong with: each falls back by itself, says why, and leaves a node that can be updated. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { NODE, UpdateLab } from "../e2e/update-lab.ts";
import {
  type Fault,
  FAULT_DIRECTORY,
  FAULTY,
  makeReleases,
  NEW,
  OLD,
  PANICKING,
  type Releases,
} from "../e2e/update-releases.ts";
import { findBlockOf, flipUsrBit } from "../e2e/usr-files.ts";
import { removeLabOnSignal } from "../e2e/world.ts";

const MINUTES = 60_000;
const NAME = "e2e-faults";
const LIMIT = { timeout: 60 * MINUTES };
let releases: Releases;
let lab: UpdateLab;

removeLabOnSignal(NAME);

before(
  async () => {
    releases = await makeReleases();
    lab = await UpdateLab.up(NAME, releases, OLD, releases.repository);
  },
  { timeout: 60 * MINUTES },
);

after(async () => await lab.down());

type Expected = {
  /** What the record calls the cause. */
  readonly check: RegExp;
  /** What it says about it. */
  readonly message: RegExp;
};

// The demo lets a release have all of its three tries.
test("the new UKI panics", LIMIT, async () => {
  await stage(PANICKING);
  await leaveOneTry(PANICKING, "+3-0");
  await expectFallback(PANICKING, { check: /^(?:unknown|panic)$/u, message: /before it could write to \/var|panic/u });
});

test("health checks that fail, hang and lie", LIMIT, async () => {
  await setFaults("health-fails", "health-hangs", "health-lies");
  await stage(FAULTY);
  await leaveOneTry(FAULTY, "+3-0");
  await expectFallback(FAULTY, {
    check: /failed-units.*50-fails.*50-hangs/u,
    message: new RegExp(
      "fault\\.service[^]*50-fails: it ended with status 1\\nthe database does not answer" +
        "[^]*50-hangs: no answer within[^]*waiting for the database",
      "u",
    ),
  });
});

const FAULTS: readonly (readonly [Fault, string, Expected])[] = [
  ["agent-missing", "the agent is missing", { check: /^unknown$/u, message: /\/usr\/bin\/ashlar/u }],
  ["init-hangs", "init hangs: the watchdog resets it", { check: /^unknown$/u, message: /watchdog/u }],
  ["init-ends", "init ends: the kernel panics", { check: /^panic$/u, message: /Attempted to kill init/u }],
];
for (const [fault, title, expected] of FAULTS) {
  test(title, LIMIT, async () => {
    await setFaults(fault);
    // Its slot holds it still.
    await lab.mustRun("rm /var/lib/ashlar/update/failures.json");
    await leaveOneTry(FAULTY, "+0-3");
    await expectFallback(FAULTY, expected);
  });
}

test("a block that the boot reads is bad in the new slot", LIMIT, async () => {
  await setFaults();
  await stage(NEW);
  await leaveOneTry(NEW, "+3-0");
  const { bootId } = await lab.status();
  await lab.lab.stop(NODE);
  await flipUsrBit(lab.disk, NEW, await findBlockOf(releases.image(NEW), "lib/systemd/systemd"));
  await lab.lab.start(NODE, { wait: false });
  await lab.lab.waitForBoot(NODE, bootId);
  await expectOld(NEW, { check: /^panic$/u, message: /verity/u });
  const { output } = await lab.order("scrub");
  assert.match(output, new RegExp(`${NEW}[^]*/usr/lib/systemd/systemd`, "u"));
});

test("a good release is taken afterwards, although it failed before", LIMIT, async () => {
  const turn = await lab.turn("update", "--to", FAULTY, "--retry");
  assert.deepEqual([turn.outcome, turn.proven], ["updated", FAULTY], JSON.stringify(turn));
  assert.deepEqual(
    (await lab.status()).failures.map(({ version }) => version).filter((version) => version === FAULTY),
    [],
  );
});

async function setFaults(...faults: Fault[]): Promise<void> {
  const files = faults.map((fault) => `${FAULT_DIRECTORY}/${fault}`).join(" ");
  await lab.mustRun(`rm -rf ${FAULT_DIRECTORY}; mkdir ${FAULT_DIRECTORY}; touch ${FAULT_DIRECTORY} ${files}; sync`);
}

async function stage(version: string): Promise<void> {
  const turn = await lab.turn("update", "--to", version, "--no-reboot", "--retry");
  assert.equal(turn.outcome, "staged", JSON.stringify(turn));
}

/** To save time: as if the release had been tried twice. */
async function leaveOneTry(version: string, tries: string): Promise<void> {
  await lab.mustRun(`cd /boot/EFI/Linux && mv ashlar_${version}${tries}.efi ashlar_${version}+1-2.efi && sync`);
}

/** Restarts the node into what is staged. */
async function expectFallback(version: string, expected: Expected): Promise<void> {
  const turn = await lab.turn("update", "--to", version);
  assert.deepEqual([turn.outcome, turn.reason?.code, turn.proven], ["stopped", "fell-back", OLD], JSON.stringify(turn));
  assert.equal(turn.failure?.version, version);
  assert.match(turn.failure.check, expected.check);
  assert.match(turn.failure.message, expected.message);
  await expectOld(version, expected);
}

/** The node has given a release up, says so, and is what it was before. */
async function expectOld(failed: string, { check, message }: Expected): Promise<void> {
  const status = await lab.status();
  assert.deepEqual([status.version, status.trial, status.staged], [OLD, false, null]);
  const [failure] = status.failures;
  lab.say(`${failed} failed: ${failure?.check}: ${failure?.message.replaceAll("\n", " | ").slice(0, 300)}`);
  assert.equal(failure?.version, failed);
  assert.match(failure.check, check);
  assert.match(failure.message, message);
  assert.deepEqual(await lab.entries(), [OLD, `${failed}+0-3`]);
  const { status: exit, node } = await lab.prove();
  assert.deepEqual([exit, node.level, node.release, node.nextBoot?.release], [0, "proven", OLD, OLD]);
  const again = await lab.turn("update", "--to", failed);
  assert.deepEqual([again.outcome, again.reason?.code], ["stopped", "failed-before"]);
  assert.equal((await lab.order("update", "--to", failed)).status, 69, "nor does the node try it by itself");
}
