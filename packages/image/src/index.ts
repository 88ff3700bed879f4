export { buildAgentExecutable } from "./agent-executable.ts";
export type { AgentExecutable, AgentExecutableOptions } from "./agent-executable.ts";
export { formatVerity } from "./verity/format-verity.ts";
export type { FormattedVerity, FormatVerityOptions } from "./verity/format-verity.ts";
export type { Region } from "./verity/region.ts";
export { verifyVerity } from "./verity/verify-verity.ts";
export type { VerifyVerityOptions, VerityProblem, VerityVerification } from "./verity/verify-verity.ts";
