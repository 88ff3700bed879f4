/** dm-verity trees of files, without what builds images: `ashlar verity` starts with this alone. */
export { formatVerity } from "./format-verity.ts";
export type { FormattedVerity, FormatVerityOptions } from "./format-verity.ts";
export type { Region } from "./region.ts";
export { verifyVerity } from "./verify-verity.ts";
export type { VerifyVerityOptions, VerityProblem, VerityVerification } from "./verify-verity.ts";
