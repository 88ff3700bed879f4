/** Proves the nodes of a cluster again and again, and says in the API server what was proved. */
export { runOperator } from "./run-operator.ts";
export type { RunOptions } from "./run-operator.ts";
