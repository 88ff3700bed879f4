import { withTemporaryDirectory } from "@ashlar/host";
import type { Bench } from "./bench.ts";
import { makeEvidence, runProve } from "./evidence.ts";

const NODES = 1000;
/** Without spaces, at which NODE_OPTIONS is split. */
const PRINT_PEAK = "data:text/javascript,process.on('exit',()=>console.error('peak:'+process.resourceUsage().maxRSS))";

export const bench: Bench = {
  name: `peak memory of ashlar prove --from over ${NODES} nodes`,
  against: "-",
  reach: { comparison: "at most", value: 200, unit: "MB" },
  command: "npm run bench -- evidence-memory",
  run: async () =>
    withTemporaryDirectory(async (directory) => {
      await makeEvidence(directory, NODES);
      const { milliseconds, stderr } = await runProve(directory, { NODE_OPTIONS: `--import=${PRINT_PEAK}` });
      const kibibytes = Number(/^peak:([0-9]+)$/mu.exec(stderr)?.[1]);
      return { value: (kibibytes * 1024) / 1e6, detail: `resident, in ${(milliseconds / 1000).toFixed(1)} s` };
    }),
};
