import type { Bench } from "./bench.ts";
import { measureStored, STORED_NODES } from "./stored-answers.ts";

export const bench: Bench = {
  name: `ashlar which --from over ${STORED_NODES} stored nodes that were asked about before`,
  against: "-",
  reach: { comparison: "at most", value: 1000, unit: "ms" },
  command: "npm run bench -- which-stored",
  run: async (count) =>
    await measureStored(["which", "--file", "/usr/lib/x86_64-linux-gnu/some-package/file-1.so"], count),
};
