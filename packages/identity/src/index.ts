export * from "./agent-api.ts";
export { BOOT_PHASES, expectedPcr11, expectedPcr4, wordDigest } from "./expected-pcrs.ts";
export type { BootPhase } from "./expected-pcrs.ts";
export { evidenceSchema, MAX_RESPONSE_BYTES, parseActivation, parseEvidence, parseKeys } from "./evidence.ts";
export type { Evidence, Keys } from "./evidence.ts";
export { MANIFEST_SCHEMA, manifestSchema, parseManifest } from "./manifest.ts";
export type { ManifestFile, ReleaseManifest, UkiSectionDigest } from "./manifest.ts";
