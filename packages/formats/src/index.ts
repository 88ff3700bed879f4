/**
 * Bytes to values, one folder for each format, each function citing its specification. Pure and strict: trailing
 * bytes, overlaps and doubled fields are refused, and every parser has limits and is fuzzed.
 */
export { bootEntryId, parseBootEntryName } from "./boot-loader/boot-entry.ts";
export type { BootEntryName, BootTries } from "./boot-loader/boot-entry.ts";
export { ashlarEntry, chooseBootEntry, renamesToBoot, sortBootEntries } from "./boot-loader/choose-boot-entry.ts";
export type { BootEntry, Rename } from "./boot-loader/choose-boot-entry.ts";
export { compareVersions } from "./boot-loader/compare-versions.ts";
export { ByteReader } from "./byte-reader.ts";
export { LOADER_CONFIG, loaderConfigFor } from "./boot-loader/loader-config.ts";
export type { SecureBootEnrolment } from "./boot-loader/loader-config.ts";
export { openDdiData } from "./ddi/ddi-data.ts";
export { readExtensionFiles, readExtensionText } from "./ddi/extension-files.ts";
export type { ExtensionEntry, ExtensionFiles } from "./ddi/extension-files.ts";
export { DDI_TYPES, parseDdi } from "./ddi/parse-ddi.ts";
export type { Ddi, DdiPartition } from "./ddi/parse-ddi.ts";
export { signDetached, signRootHash, writeSignaturePartition } from "./ddi/sign-root-hash.ts";
export type { SignedRootHash } from "./ddi/signature-partition.ts";
export { verifyRootHashSignature } from "./ddi/verify-signature.ts";
export { findBlockOwners } from "./erofs/block-owners.ts";
export type { BlockOwner, BlockOwners } from "./erofs/block-owners.ts";
export { readErofsContent } from "./erofs/file-content.ts";
export { openErofs } from "./erofs/image.ts";
export type { ErofsImage, ReadBytes } from "./erofs/image.ts";
export { readInode as readErofsInode } from "./erofs/inode.ts";
export type { ErofsInode } from "./erofs/inode.ts";
export { listErofs } from "./erofs/list-files.ts";
export type { ErofsEntry, ErofsListing } from "./erofs/list-files.ts";
export { guidFromBytes } from "./gpt/guid.ts";
export type { Guid } from "./gpt/guid.ts";
export { parseGpt } from "./gpt/parse-gpt.ts";
export type { Gpt, GptSource, NumberedPartition } from "./gpt/parse-gpt.ts";
export {
  GPT_BACKUP_BYTES,
  GPT_PRIMARY_BYTES,
  PARTITION_ATTRIBUTES,
  PARTITION_TYPES,
  SECTOR_BYTES,
} from "./gpt/partition-table.ts";
export type { GptPartition } from "./gpt/partition-table.ts";
export { writeGpt } from "./gpt/write-gpt.ts";
export type { GptImage, GptLayout } from "./gpt/write-gpt.ts";
export { signPe } from "./pe/sign-pe.ts";
export { verifyPe } from "./pe/verify-pe.ts";
export { authenticodeDigest } from "./pe/authenticode-digest.ts";
export type { AuthenticodeAlgorithm } from "./pe/authenticode-digest.ts";
export { MEASURED_UKI_SECTIONS, ukiSections } from "./pe/uki-sections.ts";
export type { UkiSection } from "./pe/uki-sections.ts";
export { parseAttest } from "./tpm/attest.ts";
export type { Attest } from "./tpm/attest.ts";
export { parseCredentialFile } from "./tpm/credential-file.ts";
export { hashSizeBytes, hexDigest } from "./tpm/hash-algorithm.ts";
export type { HashName } from "./tpm/hash-algorithm.ts";
export { keyObjectOf, nameOf } from "./tpm/key.ts";
export { makeCredential } from "./tpm/make-credential.ts";
export type { Credential, CredentialRequest } from "./tpm/make-credential.ts";
export { parseKeyTemplate } from "./tpm/key-template.ts";
export type { KeyTemplate } from "./tpm/key-template.ts";
export {
  ATTESTATION_KEY_ATTRIBUTES,
  ATTESTATION_KEY_OPTIONAL,
  ATTESTATION_KEY_REQUIRED,
  objectAttributeNames,
} from "./tpm/object-attributes.ts";
export { readTar } from "./tar/read-tar.ts";
export type { TarEntry } from "./tar/read-tar.ts";
export { TAR_END, tarEntry } from "./tar/write-tar.ts";
export type { NewTarEntry } from "./tar/write-tar.ts";
export { pcrDigestOf, selectedPcrs } from "./tpm/pcr-selection.ts";
export type { PcrSelection } from "./tpm/pcr-selection.ts";
export { parsePublic } from "./tpm/public.ts";
export type { AsymmetricScheme, CurveName, EccPublic, RsaPublic, SymmetricCipher, TpmPublic } from "./tpm/public.ts";
export { parseSignature, verifyQuoteSignature } from "./tpm/signature.ts";
export type { TpmSignature } from "./tpm/signature.ts";
export { withoutEventData } from "./event-log/without-data.ts";
export { describeFirmwareEvent } from "./event-log/describe-event.ts";
export { firmwareEventTypeName } from "./event-log/event-types.ts";
export type { EventDigests } from "./event-log/event-digests.ts";
export { parseFirmwareLog } from "./event-log/firmware-log.ts";
export type { FirmwareEvent, FirmwareLog } from "./event-log/firmware-log.ts";
export { extendPcrs, firmwarePcrs, replayPcrs } from "./event-log/replay.ts";
export { parseUserspaceLog, UserspaceRecords } from "./event-log/userspace-log.ts";
export type { UserspaceEvent, UserspaceLog } from "./event-log/userspace-log.ts";
export { writeAuthenticatedVariable } from "./uefi/authenticated-variable.ts";
export { KEY_VARIABLES, SECURE_BOOT_VENDORS } from "./uefi/secure-boot-variables.ts";
export type { KeyVariable, SecureBootVariable } from "./uefi/secure-boot-variables.ts";
export { parseSignatureLists, SIGNATURE_TYPES, writeCertificateList } from "./uefi/signature-list.ts";
export type { SignatureEntry } from "./uefi/signature-list.ts";
export { parseMeasuredVariable } from "./uefi/variable-data.ts";
export type { MeasuredVariable } from "./uefi/variable-data.ts";
export type { VerityAlgorithm } from "./verity/algorithm.ts";
export { createBlockHasher } from "./verity/block-hasher.ts";
export type { BlockHasher, BlockHasherOptions } from "./verity/block-hasher.ts";
export { partitionUuidsOf, rootHashOf } from "./verity/partition-uuids.ts";
export { parseVeritySuperblock, SUPERBLOCK_BYTES, writeVeritySuperblock } from "./verity/superblock.ts";
export type { VerityParameters, VeritySuperblock } from "./verity/superblock.ts";
export { verityLayout } from "./verity/tree-layout.ts";
export type { VerityLayout, VerityLevel } from "./verity/tree-layout.ts";
export { hashBlockDigests, upperVerityLevels } from "./verity/upper-levels.ts";
export type { UpperLevels } from "./verity/upper-levels.ts";
export { parseCertificateFields } from "./x509/certificate.ts";
export type { CertificateExtension, CertificateFields } from "./x509/certificate.ts";
export {
  basicConstraintsOf,
  directoryNamesOf,
  EXTENSIONS as CERTIFICATE_EXTENSIONS,
  extendedKeyUsageOf,
  issuerUrlsOf,
  keyUsageOf,
} from "./x509/certificate-extensions.ts";
export type { KeyUse } from "./x509/certificate-extensions.ts";
export { certificatesInFile, splitCertificates } from "./x509/certificate-file.ts";
export { certificateKeyOf } from "./x509/certificate-key.ts";
export { nameKey, nameText } from "./x509/distinguished-name.ts";
export type { DistinguishedName } from "./x509/distinguished-name.ts";
export type { CertificateSigner } from "./x509/signed-data.ts";
export { selfSignedCertificatePem, signingCertificatePem } from "./x509/self-signed-certificate.ts";
export {
  BOOT_PHASES,
  CALLING_APPLICATION,
  CALLING_APPLICATION_TEXT,
  RETURNING_FROM_APPLICATION,
  RETURNING_FROM_APPLICATION_TEXT,
  SEPARATOR,
  SEPARATOR_DATA,
  SEPARATORS,
  ZERO_PCR,
  expectedPcr11,
  expectedPcr4,
  extendAll,
  sha256,
  sha384,
  wordDigest,
} from "./measurement/expected-pcrs.ts";
export type { BootPhase } from "./measurement/expected-pcrs.ts";
