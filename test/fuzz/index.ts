/**
 * `npm run fuzz [-- --seconds N | --cases N] [--seed N] [--only NAME]`: gives every parser of outside bytes mutated inputs
 * for so many seconds each, or so many inputs. Only a value or an AshlarError may come out, within 1 s and 64 MB.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { InputBuffer } from "./input-buffer.ts";
import { TARGETS } from "./targets.ts";
import type { FuzzJob, FuzzReport } from "./worker.ts";

/** One input that keeps a thread for longer never ends: an honest one has taken 40 s where twenty programs shared a core. */
const STUCK_MS = 300_000;
const OUT = "out/fuzz";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "2" },
    cases: { type: "string" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
  },
});
const seconds = numberOption("seconds", values.seconds);
const cases = values.cases === undefined ? undefined : numberOption("cases", values.cases);
const seed = numberOption("seed", values.seed);
const targets = TARGETS.filter(({ name }) => values.only === undefined || name === values.only);
if (targets.length === 0) usageError(`--only: expected one of ${TARGETS.map(({ name }) => name).join(", ")}`);

const extent = cases === undefined ? `${seconds} s` : `${cases} inputs`;
console.log(`fuzz: ${targets.length} parsers, ${extent} each, seed ${seed}`);
let failures = 0;
for (const { name } of targets) {
  const buffer = new InputBuffer();
  const { iterations, accepted, failure } = await runWorker(
    { target: name, seed, seconds, cases, input: buffer.shared },
    buffer,
  );
  console.log(`${failure === undefined ? "ok  " : "FAIL"} ${name}: ${iterations} inputs, ${accepted} accepted`);
  if (failure === undefined) continue;
  failures += 1;
  const path = `${OUT}/${name}-${createHash("sha256").update(buffer.input).digest("hex").slice(0, 12)}.bin`;
  await mkdir(OUT, { recursive: true });
  await writeFile(path, buffer.input);
  console.log(`     input ${buffer.iteration}, kept in ${path}: ${failure}`);
}
process.exitCode = failures === 0 ? 0 : 1;

async function runWorker(job: FuzzJob, buffer: InputBuffer): Promise<FuzzReport> {
  const worker = new Worker(new URL("worker.ts", import.meta.url), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  });
  const ended = new AbortController();
  try {
    return await Promise.race([
      // The worker posts one FuzzReport.
      once(worker, "message", { signal: ended.signal }).then(([report]) => report as FuzzReport),
      failWhenStuck(buffer, ended.signal),
    ]);
  } catch (error) {
    return { iterations: buffer.iteration + 1, accepted: 0, failure: `ended its thread: ${String(error)}` };
  } finally {
    ended.abort();
    await worker.terminate();
  }
}

async function failWhenStuck(buffer: InputBuffer, signal: AbortSignal): Promise<FuzzReport> {
  const { promise, resolve } = Promise.withResolvers<FuzzReport>();
  let seen = -1;
  const timer = setInterval(() => {
    if (buffer.iteration === seen) {
      resolve({ iterations: seen + 1, accepted: 0, failure: `did not end within ${STUCK_MS / 1000} s` });
    }
    seen = buffer.iteration;
  }, STUCK_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  return await promise;
}

function numberOption(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) usageError(`--${name}: expected a number, found ${text}`);
  return value;
}

function usageError(message: string): never {
  console.error(`error: ${message}`);
  process.exit(2);
}
