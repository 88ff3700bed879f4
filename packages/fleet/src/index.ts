/**
 * A fleet as a value: the file that declares it, the certificate of what was proved of it, and the log of certificates. Pure: files, keys and clocks
 * are the caller's.
 */
export { parseFleet } from "./file/fleet-file.ts";
export type { Fleet, FleetCluster, FleetNode } from "./file/fleet-file.ts";
export { fleetJsonSchema } from "./file/schema.ts";
export type { FleetClass, FleetTrust } from "./file/schema.ts";
export { checkCertificate } from "./certificate/check.ts";
export type { Checked, CheckInput, ExpectedFleet, Refusal } from "./certificate/check.ts";
export { compareCertificates } from "./certificate/compare.ts";
export type { ChangedNode, Comparison } from "./certificate/compare.ts";
export { certificateJsonSchema, parseCertificate } from "./certificate/document.ts";
export type { Certificate, FleetCertificate, NodeCertificate } from "./certificate/document.ts";
export { MAX_CERTIFICATE_BYTES } from "./certificate/document.ts";
export { makeCertificate, makeNodeCertificate } from "./certificate/make.ts";
export type { CertificateInput, ProvedNode } from "./certificate/make.ts";
export { SALT_BYTES } from "./certificate/node-record.ts";
export type { NodeRecord, Running } from "./certificate/node-record.ts";
export { fleetCertificateJsonSchema, MAX_CHALLENGE_CHARACTERS } from "./certificate/statement.ts";
export type { Predicate, TrustedRoots, TrustPolicy } from "./certificate/statement.ts";
export { MAX_CHECKPOINT_BYTES, openCheckpoint, originOf, signCheckpoint } from "./history/checkpoint.ts";
export type { Checkpoint } from "./history/checkpoint.ts";
export { addCosignatures, cosign, readCosignatures } from "./history/cosignature.ts";
export type { Cosignature } from "./history/cosignature.ts";
export { entryOf, formatEntry, historyEntryJsonSchema, parseEntry } from "./history/entry.ts";
export type { HistoryEntry } from "./history/entry.ts";
export { checkInclusionProof, formatInclusionProof } from "./history/inclusion-proof.ts";
export { entryAt, NodeHistory } from "./history/replay.ts";
export type { NodeMoment } from "./history/replay.ts";
export { formatNoteKey, isNoteName, parseNoteKey, requireNoteSigner } from "./history/signed-note.ts";
export type { NoteKey } from "./history/signed-note.ts";
export {
  bundleOf,
  CHECKPOINT_PATH,
  entryPlaces,
  leavesOf,
  MAX_BUNDLE_BYTES,
  MAX_TILE_BYTES,
  newPlaces,
  parseBundle,
  parseTile,
  pathOf,
  TILE_WIDTH,
  tileOf,
  tilePlaces,
} from "./history/tiles.ts";
export { treeRoot } from "./merkle/tree.ts";
