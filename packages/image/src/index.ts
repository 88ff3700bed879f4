export { buildAgentExecutable } from "./agent-executable.ts";
export type { AgentExecutable, AgentExecutableOptions } from "./agent-executable.ts";
export { buildImage, MAX_UKI_BYTES, MAX_USR_BYTES } from "./build-image.ts";
export type { BuildImageOptions, BuiltImage } from "./build-image.ts";
export { formatVerity } from "./verity/format-verity.ts";
export type { FormattedVerity, FormatVerityOptions } from "./verity/format-verity.ts";
export type { Region } from "./verity/region.ts";
export { verifyVerity } from "./verity/verify-verity.ts";
export type { VerifyVerityOptions, VerityProblem, VerityVerification } from "./verity/verify-verity.ts";
