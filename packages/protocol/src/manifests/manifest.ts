import { SHA256_HEX, AshlarError } from "@ashlar/base";
import { z } from "zod";
import { expectedPcr11, expectedPcr4, BOOT_PHASES, type BootPhase } from "@ashlar/formats";
import { parseDocument } from "../parse-document.ts";
import { secureBootSchema, type SecureBootKeyDigests } from "./secure-boot.ts";
import { sha384Schema, type Sha384Measurements } from "./sha384-measurements.ts";
import { findUkiTextProblem } from "./uki-texts.ts";

export const MANIFEST_SCHEMA = "ashlar.manifest/v2";

/** What a release is made of and how it measures itself when it boots. All digests are lower-case hexadecimal. */
export type ReleaseManifest = {
  readonly schema: typeof MANIFEST_SCHEMA;
  readonly version: string;
  readonly architecture: "x86-64";
  readonly sysextLevel: string;
  /** The kernel command line inside the UKI, without a final newline. */
  readonly commandLine: string;
  /** The os-release inside the UKI. */
  readonly osRelease: string;
  readonly usr: {
    readonly rootHash: string;
    readonly salt: string;
    /** The UUID in the verity superblock. */
    readonly uuid: string;
    readonly dataSizeBytes: number;
    readonly sha256: string;
    readonly verity: { readonly sha256: string; readonly sizeBytes: number };
    readonly dataPartitionUuid: string;
    readonly hashPartitionUuid: string;
  };
  readonly uki: {
    readonly sha256: string;
    readonly sizeBytes: number;
    /** Authenticode SHA-256 of the whole file. */
    readonly authenticode: string;
    /** Authenticode SHA-256 of the kernel inside, which the firmware measures as a file of its own. */
    readonly linuxAuthenticode: string;
    /** The measured sections in the order of measuring, each with the SHA-256 of its data. */
    readonly sections: readonly UkiSectionDigest[];
  };
  readonly bootLoader: { readonly sha256: string; readonly authenticode: string };
  readonly pcrs: {
    /** Secure Boot off, first boot option taken. */
    readonly "4": string;
    /** The value after each boot phase. */
    readonly "11": Readonly<Record<BootPhase, string>>;
  };
  /** PCR 11 after the stub has measured the sections, before the first phase. */
  readonly pcr11Sections: string;
  /** Missing in releases that an older Ashlar has built: they are proved by a SHA-256 bank alone. */
  readonly sha384?: Sha384Measurements;
  /** Who has signed systemd-boot and the UKI for Secure Boot. Missing when nobody has. */
  readonly secureBoot?: SecureBootKeyDigests;
  /** Sorted by name. */
  readonly packages: readonly ManifestPackage[];
  /** Every file and symbolic link below /usr, with absolute paths, sorted by path. */
  readonly files: readonly ManifestFile[];
};

/**
 * As much of a release as has to be known to judge nodes. Its files are only for naming what differs; a repository's
 * summaries leave them out.
 */
export type KnownRelease = Omit<ReleaseManifest, "packages" | "files"> &
  Partial<Pick<ReleaseManifest, "packages" | "files">>;

/** A Debian package, or a Go module. */
export type ManifestPackage = {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Of a Debian package: what it was built from, by which advisories name it. Missing in what an older Ashlar has built. */
  readonly source?: { readonly name: string; readonly version: string };
};

export type UkiSectionDigest = { readonly name: string; readonly sha256: string };

export type ManifestFile =
  | { readonly type: "file"; readonly path: string; readonly sizeBytes: number; readonly sha256: string }
  | { readonly type: "link"; readonly path: string; readonly target: string };

/** A real manifest is about 3 MB. */
export const MAX_MANIFEST_CHARACTERS: number = 48 * 1024 * 1024;
const MAX_FILES = 200_000;
const MAX_PACKAGES = 10_000;
/** Linux's PATH_MAX. */
const MAX_PATH_CHARACTERS = 4096;

export const digestSchema: z.ZodType<string> = z
  .string()
  .regex(SHA256_HEX, "expected 64 lower-case hexadecimal digits");
const uuid = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/u, "expected a UUID in lower case");
const sizeBytes = z.int().nonnegative();
const shortText = z.string().min(1).max(256);
const path = z.string().max(MAX_PATH_CHARACTERS).startsWith("/");

/** A plus would begin the counters in a boot entry's name (UAPI Group "Boot Loader Specification", "Boot counting"). */
export const versionSchema: z.ZodType<string> = z
  .string()
  .regex(/^[0-9A-Za-z][0-9A-Za-z.~^-]{0,63}$/u, "expected a version such as 1.0.0");

const known = z.strictObject({
  schema: z.literal(
    MANIFEST_SCHEMA,
    `expected ${MANIFEST_SCHEMA}: version 1 does not bind the version and root hash that it states to what is measured; ` +
      "build the image again",
  ),
  version: versionSchema,
  architecture: z.literal("x86-64"),
  sysextLevel: shortText,
  commandLine: z.string().max(4096),
  osRelease: z.string().max(4096),
  usr: z.strictObject({
    rootHash: digestSchema,
    salt: z.string().regex(/^(?:[0-9a-f]{2}){0,256}$/u, "expected up to 256 bytes in hexadecimal"),
    uuid,
    dataSizeBytes: sizeBytes,
    sha256: digestSchema,
    verity: z.strictObject({ sha256: digestSchema, sizeBytes }),
    dataPartitionUuid: uuid,
    hashPartitionUuid: uuid,
  }),
  uki: z.strictObject({
    sha256: digestSchema,
    sizeBytes,
    authenticode: digestSchema,
    linuxAuthenticode: digestSchema,
    sections: z
      .array(
        z.strictObject({ name: z.string().regex(/^\.[a-z]{1,7}$/u, "expected a section name"), sha256: digestSchema }),
      )
      .min(1)
      .max(16),
  }),
  bootLoader: z.strictObject({ sha256: digestSchema, authenticode: digestSchema }),
  pcrs: z.strictObject({
    "4": digestSchema,
    "11": z.strictObject({
      "enter-initrd": digestSchema,
      "leave-initrd": digestSchema,
      sysinit: digestSchema,
      ready: digestSchema,
    }),
  }),
  pcr11Sections: digestSchema,
  sha384: sha384Schema.exactOptional(),
  secureBoot: secureBootSchema.exactOptional(),
});

export const packagesSchema: z.ZodType<ReleaseManifest["packages"]> = z
  .array(
    z.strictObject({
      name: shortText,
      version: shortText,
      architecture: shortText,
      source: z.strictObject({ name: shortText, version: shortText }).exactOptional(),
    }),
  )
  .max(MAX_PACKAGES);
export const filesSchema: z.ZodType<ReleaseManifest["files"]> = z
  .array(
    z.discriminatedUnion("type", [
      z.strictObject({ type: z.literal("file"), path, sizeBytes, sha256: digestSchema }),
      z.strictObject({ type: z.literal("link"), path, target: z.string().max(MAX_PATH_CHARACTERS) }),
    ]),
  )
  .max(MAX_FILES);

export const manifestSchema: z.ZodType<ReleaseManifest> = known.extend({
  packages: packagesSchema,
  files: filesSchema,
});
const knownReleaseSchema: z.ZodType<KnownRelease> = known.extend({
  packages: packagesSchema.exactOptional(),
  files: filesSchema.exactOptional(),
});

/**
 * Parses the text of a `manifest.json` and checks that its parts agree with each other.
 *
 * @throws AshlarError `limit`, `malformed` (wrong shape, with the path) or `invalid` (parts that disagree)
 */
export function parseManifest(text: string): ReleaseManifest {
  const manifest = parseDocument(text, manifestSchema, "release manifest", MAX_MANIFEST_CHARACTERS);
  checkParts(manifest);
  return manifest;
}

/**
 * The same for a manifest or a release's summary.
 *
 * @throws AshlarError like {@link parseManifest}
 */
export function parseKnownRelease(text: string): KnownRelease {
  const release = parseDocument(text, knownReleaseSchema, "release", MAX_MANIFEST_CHARACTERS);
  checkParts(release);
  return release;
}

function checkParts(release: KnownRelease): void {
  checkMeasurements(release);
  if (release.sha384 !== undefined) {
    const namesOf = (sections: readonly { readonly name: string }[]): string => sections.map(({ name }) => name).join();
    expectSame("$.sha384.sections", namesOf(release.uki.sections), namesOf(release.sha384.sections));
  }
  checkPartitions(release);
  const problem = findUkiTextProblem(release);
  if (problem !== undefined) expectSame(problem.place, problem.expected, problem.found);
}

/** The PCR values are stated for people and other programs; they follow from the digests beside them. */
function checkMeasurements({ uki, bootLoader, pcrs, pcr11Sections }: KnownRelease): void {
  const pcr4 = expectedPcr4({
    bootLoader: bootLoader.authenticode,
    uki: uki.authenticode,
    linux: uki.linuxAuthenticode,
  });
  expectSame("$.pcrs.4", pcr4, pcrs["4"]);
  expectSame("$.pcr11Sections", expectedPcr11(uki.sections, []), pcr11Sections);
  for (const [index, phase] of BOOT_PHASES.entries()) {
    expectSame(`$.pcrs.11.${phase}`, expectedPcr11(uki.sections, BOOT_PHASES.slice(0, index + 1)), pcrs["11"][phase]);
  }
}

/** The halves of the root hash name the partitions (UAPI Group "Discoverable Partitions Specification"). */
function checkPartitions({ usr }: KnownRelease): void {
  expectSame("$.usr.dataPartitionUuid", usr.rootHash.slice(0, 32), usr.dataPartitionUuid.replaceAll("-", ""));
  expectSame("$.usr.hashPartitionUuid", usr.rootHash.slice(32), usr.hashPartitionUuid.replaceAll("-", ""));
}

function expectSame(place: string, expected: string, found: string): void {
  if (expected === found) return;
  throw new AshlarError("invalid", `release manifest: expected ${expected} at ${place}, found ${found}`, {
    hint: "build the image again, or fetch its manifest again",
  });
}
