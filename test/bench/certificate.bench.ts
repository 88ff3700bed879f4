import { AshlarError } from "@ashlar/base";
import type { Bench } from "./bench.ts";
import { measureCertificate, NODES, type MeasuredCertificate } from "./certificate.ts";
import { median } from "./evidence.ts";

const ROUNDS = 5;
/** What is promised beside the time to verify. */
const MOST = { madeMs: 3000, bytes: 6_000_000, proofBytes: 4000 } as const;

export const bench: Bench = {
  name: `certificate of ${NODES} nodes, verified`,
  against: "-",
  reach: { comparison: "at most", value: 1000, unit: "ms" },
  command: "npm run bench -- certificate",
  run: async () => {
    // The first round compiles.
    measureCertificate();
    const rounds = Array.from({ length: ROUNDS }, () => measureCertificate());
    const of = (name: keyof MeasuredCertificate): number => median(rounds.map((round) => round[name]));
    for (const [name, most] of Object.entries(MOST) as [keyof typeof MOST, number][]) {
      if (of(name) > most) throw new AshlarError("failed", `expected at most ${most} ${name}, found ${of(name)}`);
    }
    const sizes = `${(of("bytes") / 1e6).toFixed(1)} MB, proof of one node ${of("proofBytes")} bytes`;
    const detail = `made in ${of("madeMs").toFixed(0)} ms, ${sizes} (processor time, medians of ${ROUNDS})`;
    return { value: of("verifiedMs"), detail };
  },
};
