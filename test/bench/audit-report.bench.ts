import { AshlarError } from "@ashlar/base";
import { run, withTemporaryDirectory } from "@ashlar/host";
import { FILES, writeSnapshots } from "./audit-snapshots.ts";
import type { Bench } from "./bench.ts";
import { ASHLAR } from "./butane.ts";

const DEFAULT_NODES = 100;
const MOST_MB = 600;
/** Without spaces, at which NODE_OPTIONS is split. Processor time: what it takes on a free core. */
const PRINT_USAGE =
  "data:text/javascript,process.on('exit',()=>{const{userCPUTime:u,systemCPUTime:s,maxRSS:m}=process.resourceUsage();console.error('usage:'+(u+s)+':'+m)})";

export const bench: Bench = {
  name: `the report of ashlar audit over ${DEFAULT_NODES} snapshots of ${FILES} files: its processor time`,
  against: "-",
  reach: { comparison: "at most", value: 10_000, unit: "ms" },
  command: "npm run bench -- audit-report",
  run: async (nodes = DEFAULT_NODES) =>
    await withTemporaryDirectory(async (directory) => {
      await writeSnapshots(directory, nodes);
      const env = { NODE_OPTIONS: `--import=${PRINT_USAGE}` };
      const started = performance.now();
      const { stdout, stderr } = await run(ASHLAR, ["audit", "--from", directory], { acceptStatus: [1], env });
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      if (!stdout.toString("utf8").startsWith(`${nodes} nodes, `))
        throw new AshlarError(
          "failed",
          `expected a report over ${nodes} nodes, found ${stdout.toString("utf8", 0, 100)}`,
        );
      const found = /^usage:(?<microseconds>[0-9]+):(?<kibibytes>[0-9]+)$/mu.exec(stderr)?.groups;
      const megabytes = (Number(found?.["kibibytes"]) * 1024) / 1e6;
      const memory = `${megabytes.toFixed(0)} MB resident at most`;
      if (megabytes > MOST_MB) throw new AshlarError("failed", `expected at most ${MOST_MB} MB, found ${memory}`);
      return {
        value: Number(found?.["microseconds"]) / 1000,
        detail: `${nodes} nodes, ${memory}, ${seconds} s until it ended`,
      };
    }),
};
