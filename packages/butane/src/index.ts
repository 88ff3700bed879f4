/**
 * Butane to Ignition, byte for byte as the reference, with every problem at its place in the file. Pure: it runs in a
 * browser too. Files that a config embeds come in as an argument.
 */
export { translate } from "./translate/translate.ts";
export type { IgnitionConfig, TranslateOptions, Translation } from "./translate/translate.ts";
export { MAX_LOCAL_FILE_BYTES } from "./local/local-files.ts";
export type { LocalEntry, LocalFiles } from "./local/local-files.ts";
export { BUTANE_VERSIONS } from "./versions.ts";
export type { ButaneVersion } from "./versions.ts";
export { validateIgnition } from "./ignition/validate-ignition.ts";
export type { ValidateOptions } from "./ignition/validate-ignition.ts";
export { IGNITION_VERSIONS } from "./ignition-versions.ts";
export type { IgnitionVersion } from "./ignition-versions.ts";
export type { IgnitionRules } from "./ignition-rules.ts";
export { jsonSchema } from "./schema/json-schema.ts";
export type { JsonSchema } from "./schema/json-schema.ts";
export { butanePages } from "./schema/pages.ts";
export type { Config as Ignition330 } from "./flatcar-1.0.0/ignition.ts";
export type { Config as Ignition340 } from "./flatcar-1.1.0/ignition.ts";
