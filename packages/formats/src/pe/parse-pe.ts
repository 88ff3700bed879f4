import { AshlarError } from "@ashlar/base";
import { ByteReader } from "../byte-reader.ts";

/** A PE32+ image: the executables of UEFI (Microsoft "PE Format"). Offsets and sizes are in bytes of the file. */
export type Pe = {
  /** `IMAGE_FILE_HEADER.Machine`; 0x8664 is x86-64. */
  readonly machine: number;
  readonly checkSumOffset: number;
  /** Where the optional header's certificate table entry stands, if the header is long enough to have one. */
  readonly certificateEntryOffset: number | undefined;
  /** The attribute certificate table; it always ends the file. */
  readonly certificateTable: { readonly offset: number; readonly size: number } | undefined;
  /** In the order of the section table. */
  readonly sections: readonly PeSection[];
};

export type PeSection = {
  readonly name: string;
  readonly virtualAddress: number;
  readonly virtualSize: number;
  readonly rawOffset: number;
  readonly rawSize: number;
};

/** The largest file accepted: more than the EFI system partition of a node holds. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;
/** Windows' loader and UEFI tools accept no more. */
const MAX_SECTIONS = 96;
const MAX_DATA_DIRECTORIES = 16;
/** Offset of `e_lfanew` in the DOS header. */
const PE_OFFSET_FIELD = 0x3c;
const PE_SIGNATURE = 0x0000_4550;
const PE32_PLUS_MAGIC = 0x020b;
/** Offsets in the PE32+ optional header ("Optional Header Windows-Specific Fields", "Optional Header Data Directories"). */
const SIZE_OF_HEADERS_FIELD = 60;
const CHECK_SUM_FIELD = 64;
const DIRECTORY_COUNT_FIELD = 108;
const DIRECTORIES_FIELD = 112;
const CERTIFICATE_DIRECTORY = 4;
const DIRECTORY_BYTES = 8;
const SECTION_NAME_BYTES = 8;

/**
 * Parses the headers of a PE32+ file.
 *
 * Every byte of an accepted file is either headers, one section, data after the last section, or the certificate table
 * at the very end: a file with gaps or overlaps is refused, because firmware and signing tools disagree on its digest.
 *
 * @throws AshlarError `malformed` or `limit`
 */
export function parsePe(bytes: Uint8Array): Pe {
  if (bytes.length > MAX_FILE_BYTES) {
    throw new AshlarError("limit", `PE file: expected at most ${MAX_FILE_BYTES} bytes, found ${bytes.length}`);
  }
  const reader = new ByteReader(bytes, "PE file", "little-endian");
  if (reader.u16("e_magic") !== 0x5a4d) reader.fail("expected the DOS magic MZ");
  reader.skip(PE_OFFSET_FIELD - reader.offset, "DOS header");
  const peOffset = reader.u32("e_lfanew");
  if (peOffset < reader.offset) reader.fail(`e_lfanew: expected an offset after the DOS header, found ${peOffset}`);
  reader.skip(peOffset - reader.offset, "DOS stub");
  if (reader.u32("Signature") !== PE_SIGNATURE) reader.fail("expected the signature PE\\0\\0");
  const machine = reader.u16("Machine");
  const sectionCount = reader.u16("NumberOfSections");
  if (sectionCount > MAX_SECTIONS) {
    throw new AshlarError("limit", `PE file: expected at most ${MAX_SECTIONS} sections, found ${sectionCount}`);
  }
  // TimeDateStamp, PointerToSymbolTable, NumberOfSymbols: of no use in an image.
  reader.skip(12, "COFF header");
  const optionalHeaderSize = reader.u16("SizeOfOptionalHeader");
  reader.u16("Characteristics");

  const optionalHeaderOffset = reader.offset;
  const header = parseOptionalHeader(reader.bytes(optionalHeaderSize, "optional header"));
  const sections = Array.from({ length: sectionCount }, () => parseSection(reader));
  if (header.sizeOfHeaders < reader.offset || header.sizeOfHeaders > bytes.length) {
    reader.fail(
      `SizeOfHeaders: expected from ${reader.offset} (end of the section table) to ${bytes.length}, found ${header.sizeOfHeaders}`,
    );
  }
  const sectionsEnd = checkNoGaps(reader, sections, header.sizeOfHeaders, bytes.length);
  const { certificateTable } = header;
  if (certificateTable !== undefined) checkCertificateTable(reader, certificateTable, sectionsEnd, bytes.length);
  return {
    machine,
    checkSumOffset: optionalHeaderOffset + CHECK_SUM_FIELD,
    certificateEntryOffset: header.hasCertificateEntry
      ? optionalHeaderOffset + DIRECTORIES_FIELD + CERTIFICATE_DIRECTORY * DIRECTORY_BYTES
      : undefined,
    certificateTable,
    sections,
  };
}

type OptionalHeader = {
  readonly sizeOfHeaders: number;
  readonly hasCertificateEntry: boolean;
  readonly certificateTable: { readonly offset: number; readonly size: number } | undefined;
};

function parseOptionalHeader(bytes: Uint8Array): OptionalHeader {
  const reader = new ByteReader(bytes, "PE optional header", "little-endian");
  const magic = reader.u16("Magic");
  if (magic !== PE32_PLUS_MAGIC) reader.fail(`Magic: expected 0x20b (PE32+), found 0x${magic.toString(16)}`);
  reader.skip(SIZE_OF_HEADERS_FIELD - reader.offset, "standard fields");
  const sizeOfHeaders = reader.u32("SizeOfHeaders");
  reader.u32("CheckSum");
  reader.skip(DIRECTORY_COUNT_FIELD - reader.offset, "Windows-specific fields");
  const directoryCount = reader.u32("NumberOfRvaAndSizes");
  if (directoryCount > MAX_DATA_DIRECTORIES) {
    throw new AshlarError(
      "limit",
      `PE optional header: expected at most ${MAX_DATA_DIRECTORIES} data directories, found ${directoryCount}`,
    );
  }
  const directories = Array.from({ length: directoryCount }, () => {
    return { offset: reader.u32("data directory address"), size: reader.u32("data directory size") };
  });
  const certificates = directories[CERTIFICATE_DIRECTORY];
  const isAbsent = certificates === undefined || (certificates.offset === 0 && certificates.size === 0);
  return {
    sizeOfHeaders,
    hasCertificateEntry: certificates !== undefined,
    certificateTable: isAbsent ? undefined : certificates,
  };
}

function parseSection(reader: ByteReader): PeSection {
  const nameBytes = reader.bytes(SECTION_NAME_BYTES, "section name");
  const virtualSize = reader.u32("VirtualSize");
  const virtualAddress = reader.u32("VirtualAddress");
  const rawSize = reader.u32("SizeOfRawData");
  const rawOffset = reader.u32("PointerToRawData");
  // Relocations, line numbers (none in images) and characteristics.
  reader.skip(16, "section header");
  const name = String.fromCharCode(...nameBytes).replace(/\0+$/u, "");
  if (!/^[\x20-\x7e]*$/u.test(name)) reader.fail("section name: expected printable ASCII padded with NUL bytes");
  return { name, virtualAddress, virtualSize, rawOffset, rawSize };
}

/** Checks that headers and sections follow each other without a gap, and gives the end of the last section. */
function checkNoGaps(reader: ByteReader, sections: readonly PeSection[], headersEnd: number, fileSize: number): number {
  let end = headersEnd;
  const inFile = sections.filter((section) => section.rawSize > 0);
  for (const section of inFile.toSorted((a, b) => a.rawOffset - b.rawOffset)) {
    if (section.rawOffset !== end) {
      reader.fail(`section ${section.name}: expected its data at offset ${end}, found ${section.rawOffset}`);
    }
    end += section.rawSize;
    if (end > fileSize) {
      reader.fail(`section ${section.name}: expected its data to end by offset ${fileSize}, found ${end}`);
    }
  }
  return end;
}

function checkCertificateTable(
  reader: ByteReader,
  table: { readonly offset: number; readonly size: number },
  sectionsEnd: number,
  fileSize: number,
): void {
  if (table.offset < sectionsEnd || table.offset % 8 !== 0) {
    reader.fail(`certificate table: expected a multiple of 8 from ${sectionsEnd}, found offset ${table.offset}`);
  }
  if (table.offset + table.size !== fileSize) {
    reader.fail(
      `certificate table: expected it to end with the file at ${fileSize}, found ${table.offset + table.size}`,
    );
  }
}
