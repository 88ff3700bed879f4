import assert from "node:assert/strict";
import { test } from "node:test";
import { ashlarEntry } from "@ashlar/formats";
import { decideRollback, decideUpdate, replacedEntries, type UpdateFacts } from "./decide-update.ts";
import { shouldReboot } from "../commands/policy-command.ts";
import { makeTestRelease, type TestRelease } from "./test-update-node.ts";
import type { Slot } from "../slots/slots.ts";

const [V10, V11, V12] = ["1.0.0", "1.1.0", "1.2.0"].map(makeTestRelease) as [TestRelease, TestRelease, TestRelease];

function slotOf(release: TestRelease | undefined, number: number): Slot {
  return {
    label: release === undefined ? "_empty" : `ashlar_${release.version}`,
    version: release?.version,
    dataPartitionUuid: release?.dataPartitionUuid ?? `data-${number}`,
    hashPartitionUuid: release?.hashPartitionUuid ?? `hash-${number}`,
    dataPath: `/dev/vda${number}`,
    treePath: `/dev/vda${number + 1}`,
  };
}

/** A node that runs `running`; the other slot holds `other`. */
function facts(
  running: TestRelease,
  other: TestRelease | undefined,
  entries: readonly string[],
  more: Partial<UpdateFacts> = {},
): UpdateFacts {
  return {
    running,
    trial: false,
    slots: [slotOf(running, 2), slotOf(other, 4)],
    entries: entries.flatMap((name) => ashlarEntry(name) ?? []),
    records: [],
    ...more,
  };
}

const read = ({ version, ...release }: TestRelease): UpdateFacts["records"] => [
  { ...release, label: version, badBlockCount: 0, badBlocks: [], readAt: "" },
];
const wanted = (release: TestRelease, isNamed = false): Parameters<typeof decideUpdate>[0] => ({ ...release, isNamed });
const ENTRIES = ["ashlar_1.0.0.efi", "ashlar_1.1.0+3-0.efi"];

await test("what has to be done follows from the disk alone", () => {
  const cases: readonly [TestRelease, UpdateFacts, string][] = [
    [V11, facts(V10, undefined, ["ashlar_1.0.0.efi"]), "install"],
    // Interrupted before the boot entry, and after it.
    [V11, facts(V10, V11, ["ashlar_1.0.0.efi"]), "install"],
    [V11, facts(V10, V11, ENTRIES), "activate"],
    [V11, facts(V10, V11, ENTRIES, { records: read(V11) }), "nothing"],
    [V12, facts(V10, V11, ENTRIES, { records: read(V11) }), "install"],
    [V10, facts(V10, V11, ENTRIES, { records: read(V11) }), "boot-running"],
    [V10, facts(V10, V11, ["ashlar_1.0.0.efi", "ashlar_1.1.0+0-3.efi"]), "nothing"],
    [V11, facts(V10, V11, ["ashlar_1.0.0.efi", "ashlar_1.1.0+0-3.efi"], { records: read(V11) }), "activate"],
    [V10, facts(V11, V10, ["ashlar_1.0.0.efi", "ashlar_1.1.0.efi"], { records: read(V10) }), "activate"],
    // The first boot of a disk image has nothing to fall back on: nothing is lost by an update.
    [V11, facts(V10, undefined, ["ashlar_1.0.0+2-1.efi"], { trial: true }), "install"],
  ];
  for (const [release, state, expected] of cases) {
    const names = state.entries.map(({ fileName }) => fileName).join(" ");
    assert.equal(decideUpdate(wanted(release), state).kind, expected, `${release.version} where ${names}`);
  }
});

await test("an install goes to the slot that does not run, and takes its release's entry away", () => {
  const state = facts(V11, V10, ["ashlar_1.0.0.efi", "ashlar_1.1.0.efi", "ashlar_0.9.0+0-3.efi"]);
  const decision = decideUpdate(wanted(V12), state);
  assert.ok(decision.kind === "install");
  assert.equal(decision.target.dataPath, "/dev/vda4");
  const replaced = replacedEntries(state, decision.target).map(({ version }) => version);
  assert.deepEqual(replaced, ["1.0.0", "0.9.0"]);
});

await test("refused: during a trial, other bytes under the running version, a disk with one slot", () => {
  const trial = facts(V11, V10, ["ashlar_1.0.0.efi", "ashlar_1.1.0+2-1.efi"], { trial: true });
  assert.throws(() => decideUpdate(wanted(V12), trial), { code: "conflict" });
  const other = { ...wanted(V11), rootHash: V10.rootHash };
  assert.throws(() => decideUpdate(other, trial), { code: "untrusted" });
  const single = { ...facts(V10, undefined, ENTRIES), slots: [slotOf(V10, 2)] };
  assert.throws(() => decideUpdate(wanted(V12), single), { code: "not-found" });
});

await test("a rollback goes to the other slot, but not to a release that failed", () => {
  const back = (running: TestRelease, other: TestRelease | undefined, ...entries: readonly string[]): unknown =>
    decideRollback(facts(running, other, entries))?.version;
  assert.equal(back(V11, V10, "ashlar_1.0.0.efi", "ashlar_1.1.0.efi"), "1.0.0");
  assert.equal(back(V11, V10, "ashlar_1.0.0.efi", "ashlar_1.1.0+0-0.efi"), undefined);
  assert.equal(back(V10, V11, ...ENTRIES), undefined);
  assert.equal(back(V10, V11, "ashlar_1.0.0.efi", "ashlar_1.1.0+0-0.efi"), "1.1.0");
  assert.throws(() => back(V10, V11, "ashlar_1.0.0.efi", "ashlar_1.1.0+0-3.efi"), { code: "conflict" });
  assert.throws(() => back(V10, V11, "ashlar_1.0.0.efi"), { code: "not-found" });
  assert.throws(() => back(V10, undefined, "ashlar_1.0.0.efi"), { code: "not-found" });
});

await test("the policy's reboot", () => {
  const window = { days: ["sun"], start: "02:00", durationMinutes: 60, timeZone: "UTC" } as const;
  const [inside, outside] = [Date.parse("2026-11-22T02:30Z"), Date.parse("2026-11-22T03:30Z")];
  const needed = { rebootNeeded: true };
  assert.equal(shouldReboot({ reboot: "never" }, needed, inside), false);
  assert.equal(shouldReboot({ reboot: "now" }, needed, outside), true);
  assert.equal(shouldReboot({ reboot: "now" }, { rebootNeeded: false }, outside), false);
  assert.equal(shouldReboot({ reboot: "window", window }, needed, inside), true);
  assert.equal(shouldReboot({ reboot: "window", window }, needed, outside), false);
});
