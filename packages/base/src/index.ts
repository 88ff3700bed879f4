/**
 * What every package speaks: expected failures, reports about a user's file, JSON with one form. Pure, and imports
 * nothing.
 */
export { AshlarError, messageOf } from "./error.ts";
export type { ErrorCode } from "./error.ts";
export { printable, printableJson } from "./printable.ts";
export type { JsonForm } from "./printable.ts";
export { formatProblem, hasErrors } from "./report.ts";
export type { Position, Problem, Report } from "./report.ts";
export { canonicalJson } from "./canonical-json.ts";
export type { Json } from "./canonical-json.ts";
export { mapLimited } from "./map-limited.ts";
export { membersOf } from "./members-of.ts";
export { escapeHtml } from "./escape-html.ts";
export { foldName } from "./fold-name.ts";
export { withoutCredentials } from "./without-credentials.ts";
export { BUG_STATUS, EXIT_STATUS } from "./exit-status.ts";
export { firstOf } from "./first-of.ts";
export { isTooDeep } from "./deep-text.ts";
export { SHA256_HEX, SHA384_HEX } from "./digest-text.ts";
