/**
 * What is known of nodes, over HTTP, for who has the token. It reads and never changes anything: no request has a body, no answer a
 * cookie, and nothing is remembered of who asked.
 */
export { isSameSecret } from "./admit.ts";
export { parseNodePath } from "./node-path.ts";
export { Board } from "./board.ts";
export type { BoardNode, BoardOptions } from "./board.ts";
export { evidenceIn, evidenceOf } from "./evidence-in.ts";
export type { EvidenceStore } from "./evidence-in.ts";
export { serveConsole } from "./serve-console.ts";
export type { PageFile, RunningConsole, ServeConsoleOptions } from "./serve-console.ts";
export { viewJsonSchemas } from "./view-schemas.ts";
