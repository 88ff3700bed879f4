export { cacheDirectory, stateDirectory } from "./directories.ts";
export { run, runForText } from "./run.ts";
export type { RunOptions, RunResult } from "./run.ts";
export { withTemporaryDirectory } from "./temporary-directory.ts";
