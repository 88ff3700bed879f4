import { AshlarError } from "@ashlar/base";
import { statSync } from "node:fs";
import type { Bench } from "./bench.ts";
import { median } from "./evidence.ts";
import { runAshlar, type Used } from "./used.ts";
import { IDENTITIES, storedFleet, WRONG_EVERY } from "./stored-fleet.ts";

const ROUNDS = 3;
const NODES = 10_000;
const MOST_MB = 300;
const MOST_BYTES_PER_NODE = 20_000;
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
    const of = (name: "processorMs" | "elapsedMs" | "peakMB"): number => median(rounds.map((used) => used[name]));
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

async function prove(archive: string, count: number): Promise<Used> {
  // `prove` judges each time.
  const used = await runAshlar(["prove", "--from", archive, "--max-age", "999999999"], 1);
  const wrong = Math.floor((count - 2) / WRONG_EVERY) + 1;
  const summary = used.stdout.trimEnd().split("\n").at(-1) ?? "";
  if (!summary.endsWith(`: ${wrong} mismatch, ${count - wrong} proven`)) throw new Error(`found ${summary}`);
  return used;
}
