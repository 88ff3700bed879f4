/** File systems with hash trees: making, reading and checking them. Loads quickly, since it needs no schema library. */
export { copyInto, uuidFor } from "./usr-image.ts";
export { readImageFiles, verifyContent } from "./verify-content.ts";
export { verifyFileSystem } from "./verify-file-system.ts";
export type { ImageProblem } from "./verify-problem.ts";
export { formatVerity } from "./verity/format-verity.ts";
export { openRegion, readRegion, readRegionSync } from "./verity/region.ts";
export type { Region } from "./verity/region.ts";
