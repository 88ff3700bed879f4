import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "@ashlar/host";
import { compareCollecting } from "./audit-tree.ts";
import type { Bench } from "./bench.ts";

export const bench: Bench = {
  name: "collecting a tree of 100,000 files and 4 GB that is in memory, on 2 cores",
  against: "aide --init with SHA-256, same tree, same run",
  reach: { comparison: "at most", value: 0.6, unit: "times" },
  command: "npm run bench -- audit-aide",
  run: async () =>
    await compareCollecting("aide", async (tree, directory) => {
      const [database, configuration] = [join(directory, "aide.db"), join(directory, "aide.conf")];
      await rm(database, { force: true });
      await writeFile(
        configuration,
        `database_out=file:${database}\nroot_prefix=${tree}\n/ p+ftype+i+l+n+u+g+s+m+c+sha256\n`,
      );
      await run("aide", ["--init", "--config", configuration]);
    }),
};
