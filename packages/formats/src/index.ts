export { ByteReader } from "./byte-reader.ts";
export { authenticodeDigest } from "./pe/authenticode-digest.ts";
export type { AuthenticodeAlgorithm } from "./pe/authenticode-digest.ts";
export { parsePe } from "./pe/parse-pe.ts";
export type { Pe, PeSection } from "./pe/parse-pe.ts";
export { MEASURED_UKI_SECTIONS, ukiSections } from "./pe/uki-sections.ts";
export type { UkiSection } from "./pe/uki-sections.ts";
