import { evidenceOf, type EvidenceStore } from "@ashlar/gateway";
import { assembleAnswer } from "@ashlar/verifier";
import type { State } from "./state.ts";

/** What nodes' verdicts rest on, for people who look at one. */
export function evidenceInState(state: Pick<State, "file">): EvidenceStore {
  return evidenceOf((name) => assembleAnswer(name, (file) => state.file(name, file)));
}
