/**
 * The judge: expected values, evidence and verdicts. Pure: the same evidence gives the same verdict a year later.
 * `expected` computes what should be there, `check` shows whom to believe, `judge` compares.
 */
export type { PinnedKeys } from "./check/check-keys.ts";
export type { Challenge } from "./check/check-quote.ts";
export { DIFFERENCE_CODES } from "./check/difference-codes.ts";
export type { DifferenceCode } from "./check/difference-codes.ts";
export type { Difference } from "./check/difference.ts";
export { checkCloudEkChain, checkEkChain, isForEncryption, namesManufacturer, parseEkRoots } from "./check/ek-chain.ts";
export type { EkChain, EkRoots } from "./check/ek-chain.ts";
export { describeEk } from "./check/describe-ek.ts";
export type { EkDescription } from "./check/describe-ek.ts";
export { ekRootsOf, makerCertificates } from "./check/ek-roots.ts";
export type { EkRootsOptions } from "./check/ek-roots.ts";
export {
  parseCertificate,
  parsedOf,
  readableCertificates,
  titleOf as titleOfCertificate,
} from "./check/maker-certificate.ts";
export type { ParsedCertificate } from "./check/maker-certificate.ts";
export { ekDigestOf } from "./check/vouched-eks.ts";
export type { VouchedEks } from "./check/vouched-eks.ts";
export { checkAkChain } from "./check/vouching.ts";
export type { TpmTrust } from "./check/vouching.ts";
export { enrolCertifiedKey, finishEnrolment, prepareEnrolment } from "./check/enrolment.ts";
export type { EnrolmentChallenge } from "./check/enrolment.ts";
export { expectationsOf } from "./expected/expectations.ts";
export type { Declaration, Expectations } from "./expected/expectations.ts";
export { nodeIdentity } from "./expected/node-identity.ts";
export { explainFirmware } from "./explain-firmware.ts";
export type { ExplainedEvent, FirmwareRole } from "./explain-firmware.ts";
export { firmwareDigests, firmwareToPin } from "./firmware-to-pin.ts";
export { MAX_FIRMWARE_DIGESTS } from "./judge/judge-firmware.ts";
export type { KnownFirmware, PinnedFirmware } from "./judge/judge-firmware.ts";
export { judgeNextBoot } from "./judge/judge-next-boot.ts";
export type { Fallback, JudgedNextBoot, NextBootContext } from "./judge/judge-next-boot.ts";
export type { ExtensionExpectations, VerdictExtension } from "./judge/judge-extensions.ts";
export { describeNode, judgeFleet, refusePinned, summaryOf } from "./judge/judge-fleet.ts";
export type { FleetMember } from "./judge/judge-fleet.ts";
export { parseFleetVerdict } from "./parse-fleet-verdict.ts";
export {
  differenceSchema,
  differencesSchema,
  EMPTY_VERDICT,
  FLEET_VERDICT_SCHEMA,
  fleetVerdictJsonSchema,
  LEVELS,
  nextBootVerdictSchema,
  nodeVerdictSchema,
} from "./verdict.ts";
export type { FleetVerdict, Level, NamedVerdict, NextBootVerdict, NodeVerdict } from "./verdict.ts";
export { KnownReadings } from "./check/known-readings.ts";
export { judgeAge, verifyEvidence } from "./verify-evidence.ts";
export type { QuotingTpm, Verification, VerificationInput } from "./verify-evidence.ts";
export { levelWithNextBoot, unknownNextBoot, verifyNextBoot } from "./verify-next-boot.ts";
export type { NextBootInput } from "./verify-next-boot.ts";
export { NO_KNOWLEDGE, knownExtensionOf } from "./expected/known-extension.ts";
export type { DebugException, ExtensionKnowledge, KnownExtension, RightExtension } from "./expected/known-extension.ts";
