/**
 * What the UKI's measured sections decide about a release: its command line, and so the root hash of /usr, and its
 * os-release, and so the version. A TPM signs the sections' digests, nobody signs the texts beside them: a manifest may
 * state no other text than the one whose digest it gives. This file needs no schema library: a node checks a release
 * before it installs it.
 */
import { sha256, sha384 } from "@ashlar/formats";

/** As much of a manifest as says it. */
export type UkiTexts = {
  readonly version: string;
  readonly sysextLevel: string;
  readonly commandLine: string;
  readonly osRelease: string;
  readonly usr: { readonly rootHash: string };
  readonly uki: { readonly sections: readonly { readonly name: string; readonly sha256: string }[] };
  readonly sha384?: { readonly sections: readonly { readonly name: string; readonly sha384: string }[] };
};

export type UkiTextProblem = { readonly place: string; readonly expected: string; readonly found: string };

/** The first text that the sections' digests do not bear out, or undefined. */
export function findUkiTextProblem(release: UkiTexts): UkiTextProblem | undefined {
  const { commandLine, osRelease, version, sysextLevel, usr } = release;
  return (
    findSectionProblem(release, ".cmdline", commandLine, "$.commandLine") ??
    findSectionProblem(release, ".osrel", osRelease, "$.osRelease") ??
    compare("$.commandLine", `usrhash=${usr.rootHash}`, commandLine.split(/\s+/u), "usrhash=") ??
    compare("$.osRelease", `IMAGE_VERSION=${version}`, osRelease.split("\n"), "IMAGE_VERSION=") ??
    compare("$.osRelease", `SYSEXT_LEVEL=${sysextLevel}`, osRelease.split("\n"), "SYSEXT_LEVEL=")
  );
}

function findSectionProblem(
  { uki, sha384: other }: UkiTexts,
  name: string,
  text: string,
  place: string,
): UkiTextProblem | undefined {
  const index = uki.sections.findIndex((section) => section.name === name);
  const section = uki.sections[index];
  if (section === undefined) return { place: "$.uki.sections", expected: `a section ${name}`, found: "none" };
  if (uki.sections.some((each, at) => each.name === name && at !== index)) {
    return { place: "$.uki.sections", expected: `one section ${name}`, found: "several" };
  }
  const problem = (expected: string, found: string, where: string): UkiTextProblem => ({
    place: `$.${where}.sections.${name}`,
    expected,
    found: `${found}, which is the digest of another text than ${place}`,
  });
  if (provedText(text, section.sha256) === undefined) return problem(sha256(text), section.sha256, "uki");
  const inOther = other?.sections.find((each) => each.name === name)?.sha384;
  if (other === undefined || provedText(text, inOther) !== undefined) return undefined;
  return problem(sha384(text), inOther ?? "none", "sha384");
}

/** Exactly one word or line begins so, and it is this one. */
function compare(
  place: string,
  expected: string,
  parts: readonly string[],
  prefix: string,
): UkiTextProblem | undefined {
  const found = parts.filter((part) => part.startsWith(prefix)).join(" ");
  return found === expected ? undefined : { place, expected, found: found === "" ? `no ${prefix}` : found };
}

/**
 * A text that a measured section proves, without what it ends with: the kernel ends its command line with a line feed; a
 * UKI section may end with NUL, a line feed, both or neither.
 *
 * @param sectionDigest SHA-256 or SHA-384 of the section's data
 */
export function provedText(text: string, sectionDigest: string | undefined): string | undefined {
  const bare = text.replace(/\n$/u, "");
  const digest = sectionDigest?.length === SHA384_DIGITS ? sha384 : sha256;
  return ENDINGS.some((end) => digest(bare + end) === sectionDigest) ? bare : undefined;
}

const SHA384_DIGITS = 96;

const ENDINGS = ["", "\0", "\n", "\n\0"] as const;
