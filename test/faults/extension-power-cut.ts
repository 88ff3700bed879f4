import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom } from "../fuzz/random.ts";
import { declaring, ExtensionLab, ExtensionWorld, kubernetes } from "../e2e/extension-lab.ts";
import { killMachine } from "./power-cut.ts";
import { ashlar } from "../e2e/world.ts";

const VERSIONS = ["v1.33.2", "v1.33.5"] as const;
const CONFIG = declaring(["{name: kubernetes, version: v1.33.*, tier: community}"]);

export type ExtensionPowerCutOptions = {
  readonly name: string;
  readonly cuts: number;
  /** The same seed gives the same moments. */
  readonly seed: number;
  readonly say: (line: string) => void;
  /** Called after each cut that the node has survived. */
  readonly onCut?: () => void;
};

/**
 * Updates an extension of a node to and fro, and cuts the node's power at moments that are spread over the whole time that
 * this takes. After each cut the node must come up with the former or the new version merged, and be proven; in the end the
 * update must be completed.
 */
export async function cutPowerOfExtension(options: ExtensionPowerCutOptions): Promise<void> {
  const { name } = options;
  const world = new ExtensionWorld(name);
  await world.make();
  await world.publish(kubernetes(VERSIONS[0]));
  const lab = await ExtensionLab.up(name, world, CONFIG);
  try {
    await world.publish(kubernetes(VERSIONS[1]));
    await cutUpdates(lab, options);
  } finally {
    await lab.down();
  }
}

async function cutUpdates(
  lab: ExtensionLab,
  { name, cuts, seed, say, onCut }: ExtensionPowerCutOptions,
): Promise<void> {
  const random = seededRandom(seed);
  let [running, target]: [string, string] = [...VERSIONS];
  const begun = performance.now();
  assert.equal(await update(lab, target), 0);
  const updateMs = Math.round(performance.now() - begun);
  say(`${name}: seed ${seed}, an update takes ${seconds(updateMs)}`);
  [running, target] = [target, running];
  for (let cut = 1; cut <= cuts; cut++) {
    const afterMs = random(updateMs);
    const order = update(lab, target).catch(() => undefined);
    await sleep(afterMs);
    await killMachine(name);
    await order;
    await ashlar("lab", "start", "node-1", "--name", name);
    const found = await lab.mustRun("kubelet --version");
    say(`${name}: cut ${cut} of ${cuts}, after ${seconds(afterMs)} on the way from ${running} to ${target}: ${found}`);
    const version = [running, target].find((each) => found === `Kubernetes ${each}`);
    assert.ok(version !== undefined, `seed ${seed}: ${found}`);
    const { status, node } = await lab.prove();
    assert.deepEqual([status, node.level], [0, "proven"], `seed ${seed}: ${JSON.stringify(node.differences)}`);
    if (version === target) [running, target] = [target, running];
    onCut?.();
  }
  assert.equal(await update(lab, target), 0, `seed ${seed}`);
  assert.equal(await lab.mustRun("kubelet --version"), `Kubernetes ${target}`);
}

async function update(lab: ExtensionLab, to: string): Promise<number> {
  const options = `--component kubernetes --to ${to} --allow-downgrade --retry`;
  return (await lab.root(`ashlar agent extensions update ${options}`)).status;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
