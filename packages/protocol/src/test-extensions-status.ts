import { EXTENSIONS_STATUS_SCHEMA, type ExtensionsStatus } from "./agent/extension-api.ts";

/** What a node says that has merged nothing and has nothing to do; `changes` say what is otherwise. */
export function testExtensionsStatus(changes: Partial<ExtensionsStatus> = {}): ExtensionsStatus {
  return {
    schema: EXTENSIONS_STATUS_SCHEMA,
    bootId: "boot-1",
    phase: "idle",
    target: null,
    progress: null,
    merged: [],
    setAside: [],
    missing: [],
    lastError: null,
    failures: [],
    ...changes,
  };
}
