/** For tests: writes to a state as fast as it can, and says so after each write, until it is killed. */
import { writeSync } from "node:fs";
import { EMPTY_VERDICT, type Level } from "@ashlar/identity";
import { changesOf } from "./decide/standing.ts";
import { openState } from "./state.ts";

const [path = ""] = process.argv.slice(2);
const state = openState(path);
const names = ["a", "b", "c"];
state.setNodes(new Set(names));
const WEBHOOKS = [
  { name: "one", kind: "slack" },
  { name: "two", kind: "cloudevents" },
] as const;
for (let round = (state.nodes()[0]?.provedAtMs ?? 0) + 1; ; round++) {
  for (const [index, name] of names.entries()) {
    const level: Level = (round + index) % 2 === 0 ? "proven" : "mismatch";
    const verdict = { ...EMPTY_VERDICT, name, level, release: `${round}`, differences: [] };
    const evidence = new Map([
      ["own", `${name} ${round}`],
      ["shared", `log of ${round % 3}`],
    ]);
    state.atOnce(() => state.putAnswer({ name, verdict, provedAtMs: round, evidence }));
    writeSync(1, ".");
    state.atOnce(() => state.putChanges(changesOf(state.nodes(), round, 1000), WEBHOOKS));
    writeSync(1, ".");
    const message = state.nextMessage("one", round);
    if (message !== undefined) state.dropMessage(message.id);
    writeSync(1, ".");
  }
}
