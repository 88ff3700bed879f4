import type { Bench } from "./bench.ts";
import { measureStored, STORED_NODES } from "./stored-answers.ts";

export const bench: Bench = {
  name: `ashlar explain --from over ${STORED_NODES} stored nodes that were asked about before`,
  against: "-",
  reach: { comparison: "at most", value: 1000, unit: "ms" },
  command: "npm run bench -- explain-stored",
  run: async (count) => await measureStored(["explain"], count),
};
