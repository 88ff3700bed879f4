import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostPackage } from "./host-packages.ts";
import { aptCommands, planSetup, type HostFacts } from "./plan.ts";
import { parseSystem } from "./system.ts";

const DEBIAN_12 = parseSystem('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n');
const DEBIAN_13 = parseSystem("ID=debian\nVERSION_ID=13\n");
const UBUNTU = parseSystem('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\n');
const FEDORA = parseSystem('PRETTY_NAME="Fedora Linux 43"\nID=fedora\nVERSION_ID=43\n');

const mtools: HostPackage = { name: "mtools", provides: ["mcopy"], parts: ["image"], why: "copies" };
const emulator: HostPackage = {
  name: "qemu-system-x86",
  provides: ["qemu-system-x86_64"],
  parts: ["lab"],
  why: "emulates",
  oldest: { program: "qemu-system-x86_64", version: [8, 2] },
};

function facts(change: Partial<HostFacts>): HostFacts {
  const missing = [mtools, emulator].map((wanted) => ({ wanted, reason: "it is missing" }));
  return { system: DEBIAN_13, isRoot: true, missing, ...change };
}

test("nothing is done where nothing is missing, on any system and by anyone", () => {
  assert.deepEqual(planSetup(facts({ missing: [], system: FEDORA, isRoot: false })), { kind: "complete" });
});

test("on Debian 13 and Ubuntu 24.04 all packages come from the release itself", () => {
  for (const system of [DEBIAN_13, UBUNTU]) {
    const plan = planSetup(facts({ system }));
    assert.ok(plan.kind === "install" && plan.suite === undefined);
    assert.deepEqual(aptCommands(plan.packages), [
      ["install", "--yes", "--no-install-recommends", "mtools", "qemu-system-x86"],
    ]);
  }
});

test("on Debian 12 QEMU comes from backports, and only then is the suite needed", () => {
  const plan = planSetup(facts({ system: DEBIAN_12 }));
  assert.ok(plan.kind === "install");
  assert.deepEqual(plan.suite, { suite: "bookworm-backports", of: "bookworm" });
  assert.deepEqual(aptCommands(plan.packages), [
    ["install", "--yes", "--no-install-recommends", "mtools"],
    ["install", "--yes", "--no-install-recommends", "--target-release", "bookworm-backports", "qemu-system-x86"],
  ]);
  const withoutEmulator = planSetup(facts({ system: DEBIAN_12, missing: [{ wanted: mtools, reason: "" }] }));
  assert.ok(withoutEmulator.kind === "install" && withoutEmulator.suite === undefined);
});

test("without root and on other systems the plan is to refuse, with every package named", () => {
  const asUser = planSetup(facts({ isRoot: false }));
  assert.ok(asUser.kind === "refuse");
  assert.match(asUser.reason, /needs root/u);
  const elsewhere = planSetup(facts({ system: FEDORA }));
  assert.ok(elsewhere.kind === "refuse");
  assert.match(elsewhere.reason, /found Fedora Linux 43/u);
  assert.deepEqual(
    elsewhere.packages.map(({ name }) => name),
    ["mtools", "qemu-system-x86"],
  );
});
