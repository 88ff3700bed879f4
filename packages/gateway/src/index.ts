/**
 * What is known of nodes, over HTTP, for who has the token. It reads and never changes anything: no request has a body, no answer a
 * cookie, and nothing is remembered of who asked.
 */
export { parseNodePath } from "./node-path.ts";
export { Board } from "./board.ts";
export type { BoardNode, BoardOptions } from "./board.ts";
export { evidenceIn, evidenceOf } from "./evidence-in.ts";
export type { EvidenceStore } from "./evidence-in.ts";
export { serveConsole } from "./serve-console.ts";
export type { PageFile, RunningConsole, ServeConsoleOptions } from "./serve-console.ts";
export { JSON_TYPE, METRICS_TYPE, servePlain } from "./serve-plain.ts";
export type { PlainAnswer, RunningServer } from "./serve-plain.ts";
export { viewJsonSchemas } from "./view-schemas.ts";
