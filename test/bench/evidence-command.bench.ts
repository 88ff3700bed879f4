import { withTemporaryDirectory } from "@ashlar/host";
import type { Bench } from "./bench.ts";
import { makeEvidence, median, runProve, timeTools } from "./evidence.ts";

const ROUNDS = 3;
const NODES = 100;

export const bench: Bench = {
  name: `ashlar prove --from over ${NODES} nodes`,
  against: "tpm2_checkquote plus tpm2_eventlog for each of them",
  reach: { comparison: "at least", value: 3, unit: "times" },
  command: "npm run bench -- evidence-command",
  run: async () =>
    withTemporaryDirectory(async (directory) => {
      await makeEvidence(directory, NODES);
      // Compiled code is kept between runs of the command.
      await runProve(directory);
      const own: number[] = [];
      const tools: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        own.push((await runProve(directory)).milliseconds);
        tools.push(await timeTools(directory, NODES));
      }
      const seconds = (milliseconds: readonly number[]): string => (median(milliseconds) / 1000).toFixed(2);
      const detail = `${seconds(own)} s, tpm2-tools ${seconds(tools)} s (medians of ${ROUNDS})`;
      return { value: median(tools) / median(own), detail };
    }),
};
