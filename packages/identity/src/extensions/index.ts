/** What a node needs to know of extensions: without a schema library, as `@ashlar/identity/extensions`. */
export {
  EXTENSIONS_STATUS_SCHEMA,
  MAX_DEBUG_SECONDS,
  MAX_EXTENSIONS,
  MAX_EXTENSIONS_STATUS_BYTES,
} from "./extension-api.ts";
export type {
  ComponentFailure,
  ComponentRequest,
  DebugRequest,
  ExtensionPhase,
  ExtensionsStatus,
  MergedExtension,
} from "./extension-api.ts";
export {
  EXTENSION_KINDS,
  EXTENSION_MANIFEST_SCHEMA,
  EXTENSION_TIERS,
  EXTENSION_VERSION_PATTERN,
  extensionFileName,
  NO_BEHAVIOUR,
} from "./extension-manifest.ts";
export type { ExtensionBehaviour, ExtensionKind, ExtensionManifest, ExtensionTier } from "./extension-manifest.ts";
export { checkBehaviour, parseBehaviour } from "./behaviour.ts";
export { declaredExtensions, EXTENSIONS_FILE } from "./declaration.ts";
export type {
  DeclarationProblem,
  DeclarationResult,
  DeclarationSources,
  DeclaredExtension,
  ExtensionSource,
} from "./declaration.ts";
export { declaredInConfigs } from "./declared-in-configs.ts";
export { parseExtensionsFile } from "./extensions-file.ts";
export { knownExtensionOf, NO_KNOWLEDGE } from "./known-extension.ts";
export type { DebugException, ExtensionKnowledge, KnownExtension, RightExtension } from "./known-extension.ts";
export { foldExtensionWords } from "./merged-extensions.ts";
export type { MeasuredExtension, MeasuredExtensions } from "./merged-extensions.ts";
export { parseExtensionFileName, parseImagePath } from "./image-path.ts";
export { parseTransferFile } from "./transfer-file.ts";
export type { ComponentTransfer } from "./transfer-file.ts";
export { isVersionGlob, matchesVersion } from "./version-glob.ts";
export { behaviourPath, readExtension } from "./read-extension.ts";
export type { ExtensionContent } from "./read-extension.ts";
export { EXTENSION_NAME_PATTERN, extensionWord, parseExtensionWord } from "./extension-words.ts";
export type { ExtensionWord } from "./extension-words.ts";
