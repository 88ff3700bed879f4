/** A standing verifier: asks nodes again and again, remembers what they have proved, and tells when that changes. */
export { evidenceInState } from "./evidence-in-state.ts";
export { serveWatcher } from "./serve.ts";
export { processUsage } from "./process-usage.ts";
export { openState } from "./state.ts";
export type { State } from "./state.ts";
export { Watcher } from "./watcher.ts";
export type { Declared, WatcherOptions } from "./watcher.ts";
export type { Webhook } from "./webhook.ts";
