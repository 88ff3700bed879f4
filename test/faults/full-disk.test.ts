/**
 * A /var that is full to the last byte, as a pod or root can leave it: the node proves, updates, writes its journal and keeps its
 * records as ever, since these have a partition of their own. A node without that partition boots, proves and says so.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { run } from "@ashlar/host";
import { NODE, UpdateLab } from "../e2e/update-lab.ts";
import { copyRepository, makeReleases, NEW, OLD, type Releases } from "../e2e/update-releases.ts";
import { ashlar, OUT, removeLabOnSignal } from "../e2e/world.ts";

const MINUTES = 60_000;
const NAME = "e2e-full-disk";
const repository = join(OUT, "full-disk-repository");
/** What says who the node is, and what it remembers. */
const RECORDS =
  "cat /etc/machine-id /var/lib/ashlar/machine-id /var/lib/ashlar/ssh/*.pub /var/lib/ashlar/config/source | sha256sum";
let releases: Releases;
let lab: UpdateLab;
let records = "";

removeLabOnSignal(NAME);

before(
  async () => {
    releases = await makeReleases();
    await copyRepository(releases, repository);
    lab = await UpdateLab.up(NAME, releases, OLD, repository);
  },
  { timeout: 60 * MINUTES },
);

after(async () => await lab.down());

test("a full /var takes nothing from proof, journal and status", { timeout: 20 * MINUTES }, async () => {
  await assertProven(OLD, OLD);
  assert.equal(await systemState(), "running");
  records = await lab.mustRun(RECORDS);
  await fillVar();
  await assertProven(OLD, OLD);
  await lab.mustRun("echo first | systemd-cat --identifier=full-disk && journalctl --sync");
  assert.match(await lab.mustRun("journalctl --directory=/var/log/journal --identifier=full-disk"), /first$/u);
  assert.equal((await lab.status()).ownStatePartition, true);
  assert.match(await lab.mustRun("findmnt --noheadings --output SOURCE,SIZE /var/lib/ashlar"), /\s(?:3\.\d|4)G$/u);
});

test("with a full /var it is updated, restarts and keeps the release", { timeout: 60 * MINUTES }, async () => {
  const turn = await lab.turn("update", "--channel", "stable");
  assert.deepEqual([turn.outcome, turn.from, turn.proven], ["updated", OLD, NEW], JSON.stringify(turn));
  const status = await lab.status();
  assert.deepEqual([status.version, status.trial, status.failures], [NEW, false, []], JSON.stringify(status));
  assert.equal(status.health?.healthy, true, JSON.stringify(status.health));
  assert.deepEqual(await lab.entries(), [OLD, NEW]);
  await lab.mustRun("test -s /var/filling");
});

test("what it kept is there, and nothing fails to start in a full /var", { timeout: 30 * MINUTES }, async () => {
  assert.equal(await systemState(), "running");
  assert.equal(await lab.mustRun(RECORDS), records);
  await fillVar();
  await ashlar("lab", "restart", NODE, "--name", NAME);
  await assertProven(NEW, NEW);
  assert.equal(await systemState(), "running");
  assert.equal(await lab.mustRun(RECORDS), records);
  assert.match(await lab.mustRun("journalctl --boot=-2 --identifier=full-disk"), /first$/u);
  await lab.mustRun("journalctl --boot=-1 --unit=ashlar-health.service --output=cat | grep .");
});

test("when /var has room again, the node needs nothing done to it", { timeout: 20 * MINUTES }, async () => {
  await lab.mustRun("rm /var/filling && systemctl restart containerd && ctr version && touch /var/written");
  await assertProven(NEW, NEW);
  assert.deepEqual((await lab.turn("update", "--channel", "stable")).outcome, "already");
});

test("a node laid out without the partition boots, is proven, and says so", { timeout: 30 * MINUTES }, async () => {
  // As it was before there was one: all of it on /var, and no room for another partition.
  await lab.mustRun("mkdir /run/below && mount --bind /var /run/below && cp -a /var/lib/ashlar /run/below/lib && sync");
  await ashlar("lab", "stop", NODE, "--name", NAME);
  await run("sfdisk", ["--quiet", "--delete", lab.disk, "6"]);
  await run("sfdisk", ["--quiet", "--append", lab.disk], { input: "size=+, type=linux, name=other\n" });
  await ashlar("lab", "start", NODE, "--name", NAME);
  await assertProven(NEW, NEW);
  assert.equal(await systemState(), "running");
  assert.equal((await lab.status()).ownStatePartition, false);
  assert.match(await lab.mustRun("ashlar agent status"), /^state +on \/var: no partition of its own/mu);
  assert.equal(await lab.mustRun(RECORDS), records);
});

const SSH_FAILED = 255;
const SSH_TRIES = 10;

/** What systemd says when the boot has ended. While it has not, a busy node may be too slow for a connection of SSH. */
async function systemState(): Promise<string> {
  for (let tries = 1; ; tries++) {
    const { status, output } = await lab.root("systemctl is-system-running --wait");
    if (status !== SSH_FAILED || tries === SSH_TRIES) return output;
  }
}

/** To the last byte, as root: containerd runs as root, too. */
async function fillVar(): Promise<void> {
  await lab.mustRun(`
    [ -e /var/filling ] || fallocate --length "$(df --output=avail -B1 /var | tail -n 1)" /var/filling 2>/dev/null
    for size in 1M 4k 1; do ! dd if=/dev/zero bs=$size status=none >>/var/filling || exit 1; sync; done
  `);
  const { output } = await lab.root("head -c 1 /dev/zero >/var/lib/more; mkdir /var/lib/more-room");
  assert.match(output, /No space left on device[^]*No space left on device/u);
}

async function assertProven(release: string, next: string): Promise<void> {
  const { status, node } = await lab.prove();
  const found = [status, node.level, node.release, node.nextBoot?.level, node.nextBoot?.release];
  assert.deepEqual(found, [0, "proven", release, "proven", next], JSON.stringify(node));
}
