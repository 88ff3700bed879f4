/**
 * What nodes, builders and verifiers say to each other: the wire, manifests, and the words that are measured. Nothing
 * here needs a schema library; what does is behind the door `answers`.
 */
export {
  AGENT_PORT,
  MAX_LOG_BYTES,
  MAX_REQUEST_BYTES,
  PCR_BANKS,
  QUOTED_PCRS,
  parseActivateRequest,
  parseEvidenceRequest,
} from "./agent/agent-api.ts";
export type { ActivateRequest, ActivateResponse, EvidenceResponse, KeysResponse, PcrBank } from "./agent/agent-api.ts";
export {
  EVIDENCE_SCHEMA,
  NEXT_BOOT_SCHEMA,
  NONCE_BYTES,
  nextBootQualifyingData,
  qualifyingData,
  challengedNonce,
} from "./agent/qualifying-data.ts";
export {
  EXTENSIONS_STATUS_SCHEMA,
  MAX_DEBUG_SECONDS,
  MAX_EXTENSIONS,
  MAX_EXTENSIONS_STATUS_BYTES,
} from "./agent/extension-api.ts";
export type {
  ComponentFailure,
  ComponentRequest,
  DebugRequest,
  ExtensionPhase,
  ExtensionsStatus,
  MergedExtension,
} from "./agent/extension-api.ts";
export { operatorPem, operatorPin, parseOperatorPem, pinOfOperatorPem } from "./agent/operator-key.ts";
export { parseComponentRequest, parseDebugRequest, parseMaintainRequest } from "./agent/parse-extension-requests.ts";
export type { MaintainRequest } from "./agent/parse-extension-requests.ts";
export { parseUpdateRequest } from "./agent/parse-update-request.ts";
export { openSignedOrder, ORDER_NONCE_SCHEMA, ORDER_SCHEMA, parseOrderNonce, signOrder } from "./agent/signed-order.ts";
export type { Order, OrderNonce } from "./agent/signed-order.ts";
export {
  BOOT_LOADER_PATHS,
  ENROLMENT_PATHS,
  BOOT_LOADER_SOURCE,
  MAX_ESP_FILES,
  MAX_NEXT_BOOT_BYTES,
  MAX_SLOTS,
  MAX_UPDATE_STATUS_BYTES,
  UPDATE_STATUS_SCHEMA,
  unfinishedLoader,
} from "./agent/update-api.ts";
export type {
  BootLoaderCopy,
  BootLoaderStatus,
  HealthCheck,
  HealthReport,
  NextBootEvidence,
  NextBootReport,
  ReleaseFailure,
  SlotReport,
  UpdatePhase,
  UpdateProgress,
  UpdateRequest,
  UpdateStatus,
} from "./agent/update-api.ts";
export { checkBehaviour, parseBehaviour } from "./extensions/behaviour.ts";
export { EXTENSION_STORE, parseExtensionFileName, parseImagePath } from "./extensions/image-path.ts";
export { behaviourPath, readExtension } from "./extensions/read-extension.ts";
export type { ExtensionContent } from "./extensions/read-extension.ts";
export { isVersionGlob, matchesVersion } from "./extensions/version-glob.ts";
export {
  EXTENSION_KINDS,
  EXTENSION_MANIFEST_SCHEMA,
  EXTENSION_TIERS,
  EXTENSION_VERSION_PATTERN,
  NO_BEHAVIOUR,
  extensionFileName,
} from "./manifests/extension-manifest.ts";
export type {
  ExtensionBehaviour,
  ExtensionKind,
  ExtensionManifest,
  ExtensionTier,
} from "./manifests/extension-manifest.ts";
export { findUkiTextProblem, provedText } from "./manifests/uki-texts.ts";
export { CONFIG_PARTS, configWord, parseConfigWord } from "./words/config-words.ts";
export type { ConfigPart } from "./words/config-words.ts";
export { EXTENSION_NAME_PATTERN, extensionWord, parseExtensionWord } from "./words/extension-words.ts";
export type { ExtensionWord } from "./words/extension-words.ts";
export { foldExtensionWords } from "./words/merged-extensions.ts";
export type { MeasuredExtension, MeasuredExtensions } from "./words/merged-extensions.ts";
