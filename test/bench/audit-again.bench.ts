import type { Bench } from "./bench.ts";
import { bytesOfTwoAudits } from "./audit-tree.ts";

const DEFAULT_FILES = 100_000;

export const bench: Bench = {
  name: `bytes that a node of ${DEFAULT_FILES} files sends when nothing has changed since the last audit`,
  against: "what it sent then",
  reach: { comparison: "at most", value: 0.05, unit: "times" },
  command: "npm run bench -- audit-again",
  run: async (files = DEFAULT_FILES) => {
    const [first, second] = await bytesOfTwoAudits(files);
    return { value: second / first, detail: `${second} bytes, the first time ${first}; ${files} files` };
  },
};
