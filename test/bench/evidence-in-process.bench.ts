import { withTemporaryDirectory } from "@ashlar/host";
import { verifyEvidence } from "@ashlar/identity";
import type { Bench } from "./bench.ts";
import { makeEvidence, median, timeTools } from "./evidence.ts";

const ROUNDS = 5;
const NODES_PER_ROUND = 20;
const VERIFICATIONS_PER_ROUND = 500;

export const bench: Bench = {
  name: "verifying one node's full evidence, in process",
  against: "tpm2_checkquote plus tpm2_eventlog on the same evidence",
  reach: { comparison: "at least", value: 40, unit: "times" },
  command: "npm run bench -- evidence-in-process",
  run: async () =>
    withTemporaryDirectory(async (directory) => {
      const { evidence, input } = await makeEvidence(directory, NODES_PER_ROUND);
      const own: number[] = [];
      const tools: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const started = performance.now();
        for (let index = 0; index < VERIFICATIONS_PER_ROUND; index++) {
          const { level } = verifyEvidence(evidence, input).verdict;
          if (level !== "proven") throw new Error(`expected proven, found ${level}`);
        }
        own.push((performance.now() - started) / VERIFICATIONS_PER_ROUND);
        tools.push((await timeTools(directory, NODES_PER_ROUND)) / NODES_PER_ROUND);
      }
      const detail = `${median(own).toFixed(2)} ms, tpm2-tools ${median(tools).toFixed(1)} ms (medians of ${ROUNDS})`;
      return { value: median(tools) / median(own), detail };
    }),
};
