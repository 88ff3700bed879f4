/** The thread that fuzzes one target, so that a parser which never ends or eats all memory can be ended. */
import { parentPort, workerData } from "node:worker_threads";
import { InputBuffer } from "./input-buffer.ts";
import { mutate } from "./mutate.ts";
import { seededRandom } from "./random.ts";
import { TARGETS } from "./targets.ts";
import { tryInput } from "./try-input.ts";

export type FuzzJob = {
  readonly target: string;
  readonly seed: number;
  /** For so long, or so many inputs. */
  readonly seconds: number;
  readonly cases: number | undefined;
  readonly input: SharedArrayBuffer;
};

export type FuzzReport = {
  readonly iterations: number;
  /** How many inputs were taken as valid: none would mean that mutations only test the first check. */
  readonly accepted: number;
  /** What an input did that no input may do. */
  readonly failure?: string;
};

function fuzz({ target: name, seed, seconds, cases, input: shared }: FuzzJob): FuzzReport {
  const target = TARGETS.find((each) => each.name === name);
  if (target === undefined) throw new Error(`no fuzz target ${name}`);
  const buffer = new InputBuffer(shared);
  const until = performance.now() + seconds * 1000;
  let accepted = 0;
  let iterations = 0;
  while (cases === undefined ? performance.now() < until : iterations < cases) {
    const random = seededRandom(seed + iterations);
    const input = target.generate?.(random) ?? mutate(target.seeds, random);
    buffer.put(iterations, input);
    iterations += 1;
    const outcome = tryInput(target.parse, input);
    if (outcome === "accepted") accepted += 1;
    else if (outcome !== "refused") return { iterations, accepted, failure: outcome.failure };
  }
  return { iterations, accepted };
}

// The watching thread gives a FuzzJob as workerData.
parentPort?.postMessage(fuzz(workerData as FuzzJob));
