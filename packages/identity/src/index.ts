export * from "./agent-api.ts";
export * from "./update-api.ts";
export type { PinnedKeys } from "./check-keys.ts";
export type { Challenge } from "./check-quote.ts";
export type { Difference } from "./difference.ts";
export { parseCertificate, parseEkRoots } from "./ek-chain.ts";
export type { EkRoots } from "./ek-chain.ts";
export { finishEnrolment, prepareEnrolment } from "./enrolment.ts";
export type { EnrolmentChallenge } from "./enrolment.ts";
export {
  evidenceSchema,
  MAX_CERTIFICATE_BYTES,
  MAX_RESPONSE_BYTES,
  MAX_TPM_STRUCTURE_BYTES,
  parseActivation,
  parseEvidence,
  parseKeys,
} from "./evidence.ts";
export type { Evidence, Keys } from "./evidence.ts";
export { extensionsStatusJsonSchema, parseExtensionsStatus } from "./extensions/extension-answers.ts";
export { expectationsOf } from "./expectations.ts";
export type { Declaration, Expectations } from "./expectations.ts";
export { BOOT_PHASES, expectedPcr11, expectedPcr4 } from "./expected-pcrs.ts";
export type { BootPhase } from "./expected-pcrs.ts";
export { firmwareOf } from "./judge-firmware.ts";
export type { PinnedFirmware } from "./judge-firmware.ts";
export { judgeNextBoot } from "./judge-next-boot.ts";
export type { Fallback, JudgedNextBoot, NextBootContext } from "./judge-next-boot.ts";
export type { ExtensionExpectations, VerdictExtension } from "./judge-extensions.ts";
export { describeNode, judgeFleet, summaryOf } from "./judge-fleet.ts";
export type { FleetMember } from "./judge-fleet.ts";
export { parseExtensionManifest } from "./extensions/parse-extension-manifest.ts";
export { MANIFEST_SCHEMA, manifestSchema, parseKnownRelease, parseManifest, versionSchema } from "./manifest.ts";
export type { KnownRelease, ManifestFile, ReleaseManifest, UkiSectionDigest } from "./manifest.ts";
export { operatorPem, operatorPin, pinOfOperatorPem } from "./operator-key.ts";
export { parseDocument } from "./parse-document.ts";
export { findUnpinnedSources } from "./unpinned-sources.ts";
export { parseNextBoot, parseNextBootReport, parseUpdateStatus, updateJsonSchemas } from "./update-answers.ts";
export type { NextBootAnswer } from "./update-answers.ts";
export { EMPTY_VERDICT, fleetVerdictJsonSchema, LEVELS } from "./verdict.ts";
export type { FleetVerdict, Level, NamedVerdict, NextBootVerdict, NodeVerdict } from "./verdict.ts";
export { verifyEvidence } from "./verify-evidence.ts";
export type { QuotingTpm, Verification, VerificationInput } from "./verify-evidence.ts";
export { unknownNextBoot, verifyNextBoot, withNextBoot } from "./verify-next-boot.ts";
export type { NextBootInput } from "./verify-next-boot.ts";
