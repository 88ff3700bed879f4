import { run } from "@ashlar/host";
import { compareCollecting } from "./audit-tree.ts";
import type { Bench } from "./bench.ts";

export const bench: Bench = {
  name: "collecting a tree of 100,000 files and 4 GB that is in memory, on 2 cores",
  against: "find and sha256sum on one core, same tree, same run",
  reach: { comparison: "at most", value: 0.65, unit: "times" },
  command: "npm run bench -- audit-collect",
  run: async () =>
    await compareCollecting("find and sha256sum", async (tree) => {
      await run("sh", ["-ec", 'find "$1" -type f -print0 | xargs -0 sha256sum >/dev/null', "sh", tree]);
    }),
};
