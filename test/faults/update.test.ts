/** The way of a node from one release to the next and back, as an operator takes it. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { BOOT_LOADER_PATHS } from "@ashlar/protocol";
import { parseManifest } from "@ashlar/protocol/answers";
import { NODE, UpdateLab } from "../e2e/update-lab.ts";
import { copyRepository, FAULTY, makeReleases, NEW, OLD, type Releases } from "../e2e/update-releases.ts";
import { ashlar, ashlarWithStatus, OUT, removeLabOnSignal } from "../e2e/world.ts";

const MINUTES = 60_000;
const NAME = "e2e-update";
/** What a node may fetch of a release that differs in a few files: the whole UKI, and a tenth of /usr. */
const MAX_FETCHED_FRACTION = 0.25;
const repository = join(OUT, "update-repository");
let releases: Releases;
let lab: UpdateLab;

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

test(
  "whoever runs as the agent's user gives no orders, whatever public pin it names",
  { timeout: 20 * MINUTES },
  async () => {
    const ask = (header: string): string =>
      `body='{"to":"${NEW}"}'; printf 'POST /v1/update HTTP/1.1\\r\\nHost: x\\r\\n${header}Content-Length: %d\\r\\n\\r\\n%s' \${#body} "$body" | setpriv --reuid=ashlar-agent --regid=ashlar-agent --init-groups -- socat -t 60 -T 60 - UNIX-CONNECT:/run/ashlar-updater.sock,shut-none | head -n 1`;
    const pin = await lab.mustRun("grep -o 'sha256:[0-9a-f]*' /etc/ashlar/update.yaml | head -n 1");
    for (const key of [undefined, `sha256:${"0".repeat(64)}`, pin]) {
      const header = key === undefined ? "" : `ashlar-operator-key: ${key}\\r\\n`;
      assert.match((await lab.root(ask(header))).output, /^HTTP\/1\.1 403 /u, key ?? "no key");
    }
    const roots = await lab.root(
      "setpriv --reuid=ashlar-agent --regid=ashlar-agent --init-groups -- socat - UNIX-CONNECT:/run/ashlar-updater-root.sock </dev/null",
    );
    assert.match(roots.output, /Permission denied/u);
    assert.equal((await lab.status()).phase, "idle");
  },
);

test("a release is staged in the other slot, and proven to boot next", { timeout: 60 * MINUTES }, async () => {
  const turn = await lab.turn("update", "--channel", "stable", "--no-reboot");
  assert.deepEqual([turn.outcome, turn.from, turn.proven], ["staged", OLD, OLD], JSON.stringify(turn));
  const { total = 0, fetched = 0 } = turn.bytes ?? {};
  assert.ok(total > 0 && fetched < total * MAX_FETCHED_FRACTION, `fetched ${fetched} of ${total} bytes`);
  assert.deepEqual(await lab.entries(), [OLD, `${NEW}+3-0`]);
  assert.match(
    await lab.mustRun("cat /run/reboot-required /run/reboot-required.pkgs"),
    new RegExp(`ashlar ${NEW}`, "u"),
  );

  const { status, node } = await lab.prove();
  assert.deepEqual([status, node.level, node.release, node.nextBoot?.release], [0, "proven", OLD, NEW]);
  assert.deepEqual([node.nextBoot?.level, node.nextBoot?.fallback?.release], ["proven", OLD]);
  const said = await ashlarWithStatus("prove", "--lab", NAME);
  assert.match(said.stdout.toString("utf8"), new RegExp(`${NODE} +proven +${OLD} +${NEW} proven`, "u"));
});

test("another release can take its place; nothing has restarted yet", { timeout: 60 * MINUTES }, async () => {
  const { bootId } = await lab.status();
  assert.equal((await lab.turn("update", "--to", FAULTY, "--no-reboot")).outcome, "staged");
  assert.deepEqual(await lab.entries(), [OLD, `${FAULTY}+3-0`]);
  assert.equal((await lab.turn("update", "--to", NEW, "--no-reboot")).outcome, "staged");
  assert.deepEqual(await lab.entries(), [OLD, `${NEW}+3-0`]);
  assert.equal((await lab.status()).bootId, bootId);
});

test("it restarts into it, is found healthy, and keeps it", { timeout: 60 * MINUTES }, async () => {
  assert.deepEqual(await loadersOnEsp(), [OLD, OLD], "until then it boots with what it has");
  const turn = await lab.turn("update", "--channel", "stable");
  assert.deepEqual([turn.outcome, turn.from, turn.proven], ["updated", OLD, NEW], JSON.stringify(turn));
  assert.deepEqual(await lab.entries(), [OLD, NEW], "its boot entry is counted no more");
  const status = await lab.status();
  assert.deepEqual([status.version, status.trial, status.staged, status.lastError], [NEW, false, null, null]);
  assert.equal(status.health?.healthy, true, JSON.stringify(status.health));
  assert.deepEqual(status.failures, []);
  assert.equal((await lab.root("test -e /run/reboot-required")).status, 1);
  assert.match(await lab.mustRun("lsblk --noheadings --output PARTLABEL"), new RegExp(`ashlar_${OLD}\\n`, "u"));
});

test("afterwards the new release is right, and the old one is a mismatch", { timeout: 20 * MINUTES }, async () => {
  const { status, node } = await lab.prove();
  assert.deepEqual([status, node.level, node.release], [0, "proven", NEW]);
  const asOld = await lab.prove("--image", releases.image(OLD));
  assert.deepEqual([asOld.status, asOld.node.level, asOld.node.release], [1, "mismatch", NEW]);
});

test(
  "then the new release's systemd-boot is in both places, and starts with the next boot",
  { timeout: 20 * MINUTES },
  async () => {
    // Waits for the unit's end where it has not ended yet.
    await lab.mustRun("systemctl start ashlar-boot-loader.service");
    const { bootLoader } = await lab.status();
    assert.deepEqual(
      bootLoader?.copies.map(({ release }) => release),
      [NEW, NEW],
      JSON.stringify(bootLoader),
    );
    assert.equal(bootLoader?.problem, null);
    assert.deepEqual(await loadersOnEsp(), [NEW, NEW]);
    const { status, node } = await lab.prove();
    assert.deepEqual([status, node.level, node.nextBoot?.level, node.nextBoot?.notes], [0, "proven", "proven", []]);
    assert.match(node.notes.join("\n"), new RegExp(`systemd-boot is that of ${OLD}.*; ${NEW} has another one`, "u"));
  },
);

test("repeated, an update does nothing", { timeout: 20 * MINUTES }, async () => {
  const { bootId } = await lab.status();
  const turn = await lab.turn("update", "--to", NEW);
  assert.deepEqual([turn.outcome, turn.bytes], ["already", null]);
  assert.equal((await lab.status()).bootId, bootId);
});

test("an older release has to be asked for", { timeout: 60 * MINUTES }, async () => {
  const refused = await lab.turn("update", "--to", OLD);
  assert.deepEqual([refused.outcome, refused.reason?.code], ["stopped", "downgrade"]);
  assert.deepEqual(await lab.entries(), [OLD, NEW]);
  assert.equal((await lab.turn("update", "--to", OLD, "--allow-downgrade", "--no-reboot")).outcome, "staged");
  const { status, node } = await lab.prove();
  assert.deepEqual([status, node.release, node.nextBoot?.release], [0, NEW, OLD]);
  // And the way back, without a restart in between.
  assert.notEqual((await lab.turn("update", "--to", NEW, "--no-reboot")).outcome, "stopped");
  assert.equal((await lab.prove()).node.nextBoot?.release, NEW);
});

test("a rollback restarts it into the other slot", { timeout: 60 * MINUTES }, async () => {
  const turn = await lab.turn("rollback");
  assert.deepEqual([turn.outcome, turn.from, turn.proven], ["updated", NEW, OLD], JSON.stringify(turn));
  const { status, node } = await lab.prove();
  assert.deepEqual([status, node.level, node.release, node.nextBoot?.release], [0, "proven", OLD, OLD]);
  // Started by the newer systemd-boot, which a rollback leaves.
  assert.match(node.notes.join("\n"), new RegExp(`systemd-boot is that of ${NEW}; ${OLD} has another one`, "u"));
  await lab.mustRun("systemctl start ashlar-boot-loader.service");
  assert.deepEqual(await loadersOnEsp(), [NEW, NEW]);
  const asNew = await lab.prove("--image", releases.image(NEW));
  assert.equal(asNew.node.level, "mismatch");
});

test("after a rollback it can be updated again", { timeout: 60 * MINUTES }, async () => {
  const turn = await lab.turn("update", "--to", NEW, "--retry");
  assert.deepEqual([turn.outcome, turn.proven], ["updated", NEW], JSON.stringify(turn));
});

test("nothing goes below the channel's minimum version", { timeout: 20 * MINUTES }, async () => {
  const place = ["--repo", repository, "--keys", releases.keys, "--channel", "stable"];
  await ashlar("release", "promote", NEW, "--minimum-version", NEW, ...place);
  for (const command of [
    ["update", "--lab", NAME, "--to", OLD, "--allow-downgrade"],
    ["rollback", NODE, "--lab", NAME],
  ]) {
    const { status, stderr } = await ashlarWithStatus(...command);
    assert.ok(status >= 64, stderr);
    assert.match(stderr, new RegExp(`${OLD} is below ${NEW}, the minimum version`, "u"));
  }
  // Nor does the node take such an order.
  const { status, output } = await lab.order("update", "--to", OLD, "--allow-downgrade");
  assert.ok(status >= 64, output);
  assert.match(output, new RegExp(`${OLD} is below ${NEW}`, "u"));
  assert.deepEqual([(await lab.status()).staged, (await lab.prove()).node.nextBoot?.release], [null, NEW]);
});

/** Whose systemd-boot the node has: first where firmware looks, then the other copy. */
async function loadersOnEsp(): Promise<string[]> {
  const sums = await lab.mustRun(`sha256sum ${BOOT_LOADER_PATHS.map((path) => `/boot/${path}`).join(" ")}`);
  const owners = new Map<string, string>();
  for (const version of [NEW, OLD]) {
    owners.set(
      parseManifest(await readFile(join(releases.image(version), "manifest.json"), "utf8")).bootLoader.sha256,
      version,
    );
  }
  return sums.split("\n").map((line) => owners.get(line.slice(0, 64)) ?? line);
}
