/**
 * Signed statements: DSSE envelopes, in-toto statements, SLSA provenance of images and extensions, and what an audit has collected.
 * Pure: files, keys and clocks are the caller's.
 */
export { parseSignedSnapshots, signSnapshots } from "./audit-snapshots.ts";
export type { SnapshotDigests } from "./audit-snapshots.ts";
export { isSignature, isStatementKey, keyIdOf, preAuthEncoding, signEnvelope, signerOf } from "./dsse.ts";
export type { DsseEnvelope, KeyPair, Signer } from "./dsse.ts";
export {
  base64,
  envelopeFields,
  findEnvelopeProblem,
  PAYLOAD_TYPE,
  parseStatement,
  payloadText,
  STATEMENT_TYPE,
} from "./envelope.ts";
export type { EnvelopeRefusal } from "./envelope.ts";
export {
  checkProvenance,
  checkProvenanceOf,
  formatSignedProvenance,
  MAX_SIGNED_PROVENANCE_BYTES,
  parseSignedProvenance,
} from "./provenance/check.ts";
export type { CheckedProvenance, ExpectedProvenance, ProvenanceRefusal } from "./provenance/check.ts";
export {
  BUILD_TYPES,
  checkBuilder,
  DEFAULT_BUILDER,
  makeProvenance,
  MAX_PROVENANCE_BYTES,
  parseProvenance,
  provenanceJsonSchema,
} from "./provenance/provenance.ts";
export type { Material, Provenance, ProvenanceInput, Role } from "./provenance/provenance.ts";
export { parseSbomComponents } from "./provenance/sbom-components.ts";
export type { SbomComponents } from "./provenance/sbom-components.ts";
