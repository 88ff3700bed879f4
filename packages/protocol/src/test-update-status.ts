import { UPDATE_STATUS_SCHEMA, type UpdateStatus } from "./agent/update-api.ts";

/** What a node says that runs 1.0.0 and has nothing to do; `changes` say what is otherwise. */
export function testUpdateStatus(changes: Partial<UpdateStatus> = {}): UpdateStatus {
  return {
    schema: UPDATE_STATUS_SCHEMA,
    version: "1.0.0",
    bootId: "boot-1",
    trial: false,
    phase: "idle",
    target: null,
    progress: null,
    staged: null,
    rebootNeeded: false,
    minimumVersion: null,
    lastError: null,
    health: null,
    bootLoader: null,
    ownStatePartition: true,
    failures: [],
    ...changes,
  };
}
