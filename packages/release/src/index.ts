export { RELEASE_FILE_KINDS, releaseFileNames } from "./model/file-names.ts";
export type { ReleaseFileKind } from "./model/file-names.ts";
