import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findProcesses, run, waitForEnd } from "@ashlar/host";
import { levelWithNextBoot } from "@ashlar/identity";
import { seededRandom } from "../fuzz/random.ts";
import { NODE, type Turn, UpdateLab } from "../e2e/update-lab.ts";
import { FAULTY, NEW, OLD, type Releases } from "../e2e/update-releases.ts";
import { ROOT } from "../e2e/world.ts";

/** In this order, and round again: what is wanted is never in the other slot, so that all of an update is done. */
const ROUND = [OLD, NEW, FAULTY];
const KILL_MS = 10_000;

export type PowerCut = {
  /** Since the update began. */
  readonly afterMs: number;
  /** The last that the update has said before. */
  readonly during: string;
  readonly from: string;
  readonly to: string;
  /** What the node has come up as, proven. */
  readonly proven: string;
};

export type PowerCutOptions = {
  readonly name: string;
  readonly releases: Releases;
  readonly cuts: number;
  /** The same seed gives the same moments. */
  readonly seed: number;
  readonly say: (line: string) => void;
  /** Called after each cut that the node has survived. */
  readonly onCut?: (cut: PowerCut) => void;
};

/**
 * Updates a node again and again, and cuts its power at moments that are spread over the whole time that an update takes,
 * from its first byte until the new release is kept. After each cut the node must come up and be proven as the old or the
 * new release, and in the end the update must be completed.
 */
export async function cutPower({ name, releases, cuts, seed, say, onCut }: PowerCutOptions): Promise<void> {
  const random = seededRandom(seed);
  const lab = await UpdateLab.up(name, releases, OLD, releases.repository);
  try {
    let running = OLD;
    const begun = performance.now();
    await mustComplete(lab, NEW);
    running = NEW;
    const updateMs = performance.now() - begun;
    say(`${name}: seed ${seed}, an update takes ${seconds(updateMs)}`);
    let target = nextOf(running);
    for (let done = 0; done < cuts;) {
      const update = new RunningUpdate(lab, target);
      const afterMs = random(Math.round(updateMs));
      const result = await Promise.race([update.result, sleep(afterMs)]);
      if (result !== undefined) {
        assertUpdated(result);
        // Went faster than the first one, or what an earlier cut has left was enough.
        [running, target] = [target, nextOf(target)];
        continue;
      }
      await killMachine(lab.name);
      const during = update.lastLine;
      await update.stop();
      await lab.lab.start(NODE);
      const { node } = await lab.prove();
      const cut = { afterMs, during, from: running, to: target, proven: node.release ?? "nothing" };
      done += 1;
      say(`${name}: cut ${done} of ${cuts}, after ${seconds(afterMs)} (${cut.during}): ${node.level} ${cut.proven}`);
      // A slot that the cut has kept from being read leaves only the next boot unknown.
      assert.equal(levelWithNextBoot(node), "proven", `seed ${seed}: ${JSON.stringify([cut, node])}`);
      assert.ok([running, target].includes(cut.proven), `seed ${seed}: ${JSON.stringify(cut)}`);
      running = cut.proven;
      onCut?.(cut);
    }
    await mustComplete(lab, target);
    const { status, node } = await lab.prove();
    assert.deepEqual([status, node.release], [0, target], `seed ${seed}`);
  } finally {
    await lab.down();
  }
}

/** `ashlar update`, which may be ended at any time. */
class RunningUpdate {
  readonly result: Promise<Turn | undefined>;
  #lastLine = "nothing was said yet";
  readonly #interruption = new AbortController();

  constructor(lab: UpdateLab, target: string) {
    const args = ["update", "--lab", lab.name, "--to", target, "--allow-downgrade", "--retry", "--json"];
    const onLine = (line: string): void => {
      if (line.trim() !== "" && !/^[ {}\]]*["{}\]]/u.test(line)) this.#lastLine = line.trim();
    };
    const options = { signal: this.#interruption.signal, acceptStatus: [0, 1], onLine };
    this.result = run(join(ROOT, "ashlar"), args, options).then(
      ({ stdout }) => {
        const { nodes }: { nodes: [Turn] } = JSON.parse(stdout.toString("utf8"));
        return nodes[0];
      },
      (error: unknown) => {
        if (this.#interruption.signal.aborted) return undefined;
        throw error;
      },
    );
  }

  get lastLine(): string {
    return this.#lastLine;
  }

  async stop(): Promise<void> {
    this.#interruption.abort();
    await this.result;
  }
}

async function mustComplete(lab: UpdateLab, target: string): Promise<void> {
  assertUpdated(await lab.turn("update", "--to", target, "--allow-downgrade", "--retry"));
}

function assertUpdated(turn: Turn): void {
  assert.ok(turn.outcome === "updated" || turn.outcome === "already", JSON.stringify(turn));
}

/** As when somebody pulls the plug. */
export async function killMachine(labName: string): Promise<void> {
  const [machine] = await findProcesses((argv) => argv.includes(`guest=${labName}/${NODE}`));
  assert.ok(machine, "its machine runs");
  process.kill(machine.pid, "SIGKILL");
  assert.ok(await waitForEnd(machine, KILL_MS), "its machine has ended");
}

function nextOf(version: string): string {
  return ROUND[(ROUND.indexOf(version) + 1) % ROUND.length] ?? OLD;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
