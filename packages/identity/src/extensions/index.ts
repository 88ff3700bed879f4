/** What a node needs to know of extensions: without a schema library, as `@ashlar/identity/extensions`. */
export {
  EXTENSION_PHASES,
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
export { EXTENSION_NAME_PATTERN, extensionWord, parseExtensionWord } from "./extension-words.ts";
export type { ExtensionWord } from "./extension-words.ts";
