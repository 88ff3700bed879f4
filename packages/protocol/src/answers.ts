/** Documents that are read with a schema library. A node does not load this door. */
export {
  MAX_CERTIFICATE_BYTES,
  MAX_RESPONSE_BYTES,
  MAX_TPM_STRUCTURE_BYTES,
  evidenceSchema,
  MAX_INTERMEDIATES,
  parseActivation,
  parseEvidence,
  parseKeys,
} from "./agent/evidence.ts";
export type { BankValues, Evidence, Keys } from "./agent/evidence.ts";
export { extensionsStatusJsonSchema, parseExtensionsStatus } from "./agent/extension-answers.ts";
export { parseNextBoot, parseNextBootReport, parseUpdateStatus, updateJsonSchemas } from "./agent/update-answers.ts";
export type { NextBootAnswer } from "./agent/update-answers.ts";
export {
  MANIFEST_SCHEMA,
  manifestSchema,
  parseKnownRelease,
  parseManifest,
  versionSchema,
} from "./manifests/manifest.ts";
export type { SecureBootKeyDigests } from "./manifests/secure-boot.ts";
export type { Sha384Measurements } from "./manifests/sha384-measurements.ts";
export type { KnownRelease, ManifestFile, ManifestPackage, ReleaseManifest } from "./manifests/manifest.ts";
export { parseExtensionManifest } from "./manifests/parse-extension-manifest.ts";
export { checkDocument, parseDocument, parseOwnDocument } from "./parse-document.ts";
