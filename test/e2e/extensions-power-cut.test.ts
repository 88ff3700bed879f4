/** An update of an extension survives power cuts at any moment: the former or the new version is merged, and proven. */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, test } from "node:test";
import { seededRandom } from "../fuzz/random.ts";
import { ExtensionLab, ExtensionWorld, kubernetes } from "./extension-lab.ts";
import { killMachine } from "./power-cut.ts";
import { ashlar, removeLabOnSignal } from "./world.ts";

const MINUTES = 60_000;
const NAME = "e2e-extension-power";
/** Each costs a boot, of a minute or two under emulation. */
const CUTS = 1;
const VERSIONS = ["v1.33.2", "v1.33.5"] as const;
const CONFIG = `variant: flatcar
version: 1.0.0
storage:
  files:
    - path: /etc/ashlar/extensions.yaml
      contents:
        inline: |
          extensions:
            - {name: kubernetes, version: v1.33.*, tier: community}
`;
const seed = randomInt(2 ** 32);
const random = seededRandom(seed);
const world = new ExtensionWorld("node-extension-power");
let lab: ExtensionLab;

removeLabOnSignal(NAME);

before(
  async () => {
    await world.make();
    await world.publish(kubernetes(VERSIONS[0]));
    lab = await ExtensionLab.up(NAME, world, CONFIG);
    await world.publish(kubernetes(VERSIONS[1]));
  },
  { timeout: 25 * MINUTES },
);

after(async () => await ashlar("lab", "down", "--name", NAME));

async function update(to: string): Promise<number> {
  const options = `--component kubernetes --to ${to} --allow-downgrade --retry`;
  return (await lab.root(`ashlar agent extensions update ${options}`)).status;
}

test(`${CUTS} power cuts, seed ${seed}`, { timeout: 60 * MINUTES }, async () => {
  let [running, target]: [string, string] = [...VERSIONS];
  const begun = performance.now();
  assert.equal(await update(target), 0);
  const updateMs = Math.round(performance.now() - begun);
  [running, target] = [target, running];
  for (let cut = 1; cut <= CUTS; cut++) {
    const afterMs = random(updateMs);
    const order = update(target).catch(() => undefined);
    await sleep(afterMs);
    await killMachine(NAME);
    await order;
    await ashlar("lab", "start", "node-1", "--name", NAME);
    const found = await lab.mustRun("kubelet --version");
    console.log(`  cut ${cut} of ${CUTS}, after ${(afterMs / 1000).toFixed(1)} s on the way to ${target}: ${found}`);
    assert.ok(
      [running, target].some((version) => found === `Kubernetes ${version}`),
      `seed ${seed}: ${found}`,
    );
    const { status, node } = await lab.prove();
    assert.deepEqual([status, node.level], [0, "proven"], `seed ${seed}: ${JSON.stringify(node.differences)}`);
    if (found.endsWith(target)) [running, target] = [target, running];
  }
  assert.equal(await update(target), 0, `seed ${seed}`);
  assert.equal(await lab.mustRun("kubelet --version"), `Kubernetes ${target}`);
});
