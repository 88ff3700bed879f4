/** Machines whose TPMs have other PCR banks on than SHA-256 alone: everything is measured into each bank, and judged in each. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { declaring, ExtensionLab, ExtensionWorld } from "../e2e/extension-lab.ts";
import { ashlar, removeLabOnSignal } from "../e2e/world.ts";

const MINUTES = 60_000;
const SITE = { kind: "confext", name: "site", version: "v1", files: { "etc/site/motto": "one\n" } } as const;
const CONFIG = declaring(["{name: site, version: v*, tier: opt-in, kind: confext}"]);
const NAMES = { sha384: "faults-banks-sha384", "sha256,sha384": "faults-banks-both" };
const world = new ExtensionWorld("pcr-banks");
const identities = new Set<string | null>();

removeLabOnSignal(...Object.values(NAMES));

before(
  async () => {
    await world.make();
    await world.publish(SITE);
  },
  { timeout: 60 * MINUTES },
);

for (const banks of ["sha384", "sha256,sha384"] as const) {
  const name = NAMES[banks];
  test(`${banks}: a node is proven with its configuration and its extension`, { timeout: 60 * MINUTES }, async () => {
    after(async () => await ashlar("lab", "down", "--name", name));
    const lab = await ExtensionLab.up(name, world, CONFIG, ["--pcr-banks", banks]);
    const on = banks.split(",").map((bank) => `pcr-${bank}`);
    assert.deepEqual((await lab.mustRun("cd /sys/class/tpm/tpm0 && ls -d pcr-*")).split("\n"), on.toSorted());
    assert.deepEqual(await lab.merged(), ["site v1"]);
    const { status, node } = await lab.prove();
    assert.deepEqual(node.differences, []);
    assert.deepEqual([status, node.level], [0, "proven"]);
    identities.add(node.identity);

    await lab.restart();
    const again = await lab.prove();
    assert.deepEqual(again.node.differences, []);
    assert.deepEqual([again.status, again.node.level, again.node.identity], [0, "proven", node.identity]);

    // In one bank only, and outside of the log.
    await lab.mustRun(`tpm2_pcrextend 13:sha384=${"1".repeat(96)}`);
    const changed = await lab.prove();
    assert.equal(changed.status, 1);
    assert.match(changed.node.differences.map(({ what }) => what).join("\n"), /^PCR 13 of bank sha384, replay/mu);
    await lab.down();
  });
}

test("the banks of a TPM are no part of an identity", () => assert.equal(identities.size, 1));
