import { AshlarError } from "@ashlar/base";
import { run } from "@ashlar/host";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "./bench.ts";
import { median } from "./evidence.ts";
import { IDENTITIES, storedFleet, WRONG_EVERY } from "./stored-fleet.ts";

const ROUNDS = 3;
const NODES = 10_000;
const MOST_MB = 300;
const MOST_BYTES_PER_NODE = 20_000;
/** Without spaces, at which NODE_OPTIONS is split. Threads load it, too. */
const PRINT_USAGE =
  "data:text/javascript,import{isMainThread}from'node:worker_threads';if(isMainThread)process.on('exit',()=>" +
  "{const{maxRSS,userCPUTime,systemCPUTime}=process.resourceUsage();console.error('used:'+maxRSS+':'+(userCPUTime+systemCPUTime))})";

export const bench: Bench = {
  name: `ashlar prove --from over ${NODES} nodes of ${IDENTITIES} identities, each with keys of its own`,
  against: "-",
  // 5 s on two processors.
  reach: { comparison: "at most", value: 10_000, unit: "ms" },
  command: "npm run bench -- fleet-scale",
  run: async (count = NODES) => {
    const archive = await storedFleet(count);
    const perNode = Math.ceil(statSync(archive).size / count);
    const rounds: Used[] = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await prove(archive, count));
    const of = (name: keyof Used): number => median(rounds.map((used) => used[name]));
    if (of("peakMB") > MOST_MB) {
      throw new AshlarError("failed", `expected at most ${MOST_MB} MB, found ${of("peakMB").toFixed(0)} MB`);
    }
    if (count === NODES && perNode > MOST_BYTES_PER_NODE)
      throw new AshlarError("failed", `expected at most ${MOST_BYTES_PER_NODE} bytes a node, found ${perNode}`);
    const time = `${(of("elapsedMs") / 1000).toFixed(1)} s by the clock`;
    const size = `${(perNode / 1000).toFixed(1)} kB a node on disk`;
    const detail = `processor time of all threads; ${time}, peak ${of("peakMB").toFixed(0)} MB (medians of ${ROUNDS}); ${size}`;
    return { value: of("processorMs"), detail };
  },
};

type Used = { readonly processorMs: number; readonly elapsedMs: number; readonly peakMB: number };

async function prove(archive: string, count: number): Promise<Used> {
  const ashlar = join(import.meta.dirname, "../../ashlar");
  const started = performance.now();
  const args = ["prove", "--from", archive, "--max-age", "999999999"];
  const { stdout, stderr } = await run(ashlar, args, {
    acceptStatus: [1],
    env: { NODE_OPTIONS: `--import=${PRINT_USAGE}` },
  });
  const elapsedMs = performance.now() - started;
  const wrong = Math.floor((count - 2) / WRONG_EVERY) + 1;
  const summary = stdout.toString("utf8").trimEnd().split("\n").at(-1) ?? "";
  if (!summary.endsWith(`: ${wrong} mismatch, ${count - wrong} proven`)) throw new Error(`found ${summary}`);
  const [, kibibytes, microseconds] = /^used:([0-9]+):([0-9]+)$/mu.exec(stderr) ?? [];
  return { processorMs: Number(microseconds) / 1000, elapsedMs, peakMB: (Number(kibibytes) * 1024) / 1e6 };
}
