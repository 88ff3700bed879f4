export { translate } from "./translate/translate.ts";
export type { TranslateOptions, Translation } from "./translate/translate.ts";
export { filesFromMap, MAX_LOCAL_FILE_BYTES, MAX_TREE_ENTRIES } from "./local/local-files.ts";
export type { LocalEntry, LocalFiles } from "./local/local-files.ts";
export { BUTANE_VERSIONS } from "./versions.ts";
export type { ButaneVersion } from "./versions.ts";
