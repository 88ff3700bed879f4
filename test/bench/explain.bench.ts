import { measureAnswers, storeNodes } from "./answers.ts";
import type { Bench } from "./bench.ts";
import { NODES } from "./certificate.ts";
import { median } from "./evidence.ts";

const ROUNDS = 5;

export const bench: Bench = {
  name: `ashlar explain over a certificate of ${NODES} nodes, in process`,
  against: "-",
  reach: { comparison: "at most", value: 1000, unit: "ms" },
  command: "npm run bench -- explain",
  run: async () => {
    const stored = storeNodes();
    // The first round compiles.
    measureAnswers(stored);
    const value = median(Array.from({ length: ROUNDS }, () => measureAnswers(stored).explainMs));
    const detail = `certificate checked, five manifests read, answered (processor time, median of ${ROUNDS})`;
    return { value, detail };
  },
};
