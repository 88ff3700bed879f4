/** `npm run fuzz`: see its help. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { AshlarError } from "@ashlar/base";
import { parseArguments, printHelp, runStep } from "@ashlar/host/terminal";
import { InputBuffer } from "./input-buffer.ts";
import { TARGETS } from "./targets.ts";
import type { FuzzJob, FuzzReport } from "./worker.ts";

/** One input that keeps a thread for longer never ends: an honest one has taken 40 s where twenty programs shared a core. */
const STUCK_MS = 300_000;
const OUT = "out/fuzz";

const HELP_COMMAND = "npm run fuzz -- --help";
const HELP = `Usage: npm run fuzz [-- options]

Gives every parser of outside bytes mutated inputs. Only a value or an error of ours may come out, within 1 s and 64 MB; an
input that gives anything else is kept in ${OUT}.

Options:
  --seconds <n>  how long for each parser (default: 2)
  --cases <n>    or how many inputs for each
  --seed <n>     the same seed gives the same inputs (default: 1)
  --only <name>  one parser
  -h, --help     print this

Parsers:
${TARGETS.map(({ name }) => `  ${name}`).join("\n")}

Exit status: 0 all held; 1 one did not.

Examples:
  npm run fuzz
  npm run fuzz -- --seconds 60 --seed 7 --only uki
  npm run fuzz -- --only evidence-structure --cases 200000`;

const OPTIONS = {
  seconds: { type: "string", default: "2" },
  cases: { type: "string" },
  seed: { type: "string", default: "1" },
  only: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

await runStep(async () => {
  const { values } = parseArguments({ options: OPTIONS }, HELP_COMMAND);
  if (values.help === true) {
    printHelp(HELP);
    return 0;
  }
  const seconds = numberOption("seconds", values.seconds);
  const cases = values.cases === undefined ? undefined : numberOption("cases", values.cases);
  const seed = numberOption("seed", values.seed);
  const targets = TARGETS.filter(({ name }) => values.only === undefined || name === values.only);
  if (targets.length === 0) throw usageError(`expected the name of a parser after --only, found ${values.only}`);
  return await fuzz(targets, { seed, seconds, cases });
});

/** Gives the exit status. */
async function fuzz(targets: typeof TARGETS, job: Pick<FuzzJob, "seed" | "seconds" | "cases">): Promise<number> {
  const { seed, seconds, cases } = job;
  const extent = cases === undefined ? `${seconds} s` : `${cases} inputs`;
  console.log(`fuzz: ${targets.length} parsers, ${extent} each, seed ${seed}`);
  let failures = 0;
  for (const { name } of targets) {
    const buffer = new InputBuffer();
    const { iterations, accepted, failure } = await runWorker({ target: name, ...job, input: buffer.shared }, buffer);
    console.log(`${failure === undefined ? "ok  " : "FAIL"} ${name}: ${iterations} inputs, ${accepted} accepted`);
    if (failure === undefined) continue;
    failures += 1;
    const path = `${OUT}/${name}-${createHash("sha256").update(buffer.input).digest("hex").slice(0, 12)}.bin`;
    await mkdir(OUT, { recursive: true });
    await writeFile(path, buffer.input);
    console.log(`     input ${buffer.iteration}, kept in ${path}: ${failure}`);
  }
  return failures === 0 ? 0 : 1;
}

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
  if (!Number.isFinite(value) || value < 0) throw usageError(`expected a number after --${name}, found ${text}`);
  return value;
}

function usageError(message: string): AshlarError {
  return new AshlarError("usage", message, { hint: `usage and examples: ${HELP_COMMAND}` });
}
