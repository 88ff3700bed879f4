/**
 * The one door to the operating system: programs, files, locks, processes, directories. No judgement here. It also
 * runs on nodes.
 */
export { writeFileAtomically } from "./atomic-file.ts";
export { startDaemon } from "./daemon.ts";
export type { DaemonOptions } from "./daemon.ts";
export { directoryHash } from "./directory-hash.ts";
export { cacheDirectory, configDirectory, runtimeDirectory, stateDirectory } from "./directories.ts";
export { throwIfInterrupted } from "./interruption.ts";
export { closeServer, listen } from "./listen.ts";
export type { Closable } from "./listen.ts";
export { listenHttp } from "./listen-http.ts";
export type { ListeningHttp } from "./listen-http.ts";
export { gitCommitOf } from "./git-commit.ts";
export { hashDirectory, hashFiles } from "./hash-directory.ts";
export { withLock } from "./lock.ts";
export type { LockOptions } from "./lock.ts";
export { isPortFree } from "./ports.ts";
export { ageOf, endProcesses, findProcesses, isRunning, waitForEnd } from "./processes.ts";
export type { FoundProcess } from "./processes.ts";
export { readAhead } from "./read-ahead.ts";
export { readBody } from "./read-body.ts";
export {
  isDirectory,
  isDirectorySync,
  isMissing,
  kindOf,
  listDirectory,
  readLimited,
  readOptional,
  readOptionalSync,
} from "./read-file.ts";
export type { ReadOptions } from "./read-file.ts";
export { readTail } from "./read-tail.ts";
export { run, runForText } from "./run.ts";
export type { RunOptions, RunResult } from "./run.ts";
export { withTemporaryDirectory } from "./temporary-directory.ts";
export { digestFile, readPart } from "./digest-file.ts";
export { readNamedFile, readText } from "./read-named-file.ts";
