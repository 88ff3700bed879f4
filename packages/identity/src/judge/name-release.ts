import type { MeasuredEvent } from "../check/check-logs.ts";
import type { Difference } from "../check/difference.ts";
import type { Evidence, ManifestFile, KnownRelease } from "@ashlar/protocol/answers";
import { provedText } from "@ashlar/protocol";
import { measuredSection } from "./judge-boot.ts";

/** What a user wants to know first when a node runs another known release: its version, or the files that differ. */
export function compareReleases(expected: KnownRelease, found: KnownRelease): Difference[] {
  const release: Difference[] =
    expected.version === found.version
      ? []
      : [{ code: "release", what: "release", expected: expected.version, found: found.version }];
  const rootHash: Difference[] =
    expected.usr.rootHash === found.usr.rootHash
      ? []
      : [{ code: "root-hash", what: "root hash of /usr", expected: expected.usr.rootHash, found: found.usr.rootHash }];
  return [...release, ...(expected.files && found.files ? compareFiles(expected.files, found.files) : []), ...rootHash];
}

/** Enough to see what happened; a new release differs in thousands. */
const MAX_FILE_DIFFERENCES = 5;

function compareFiles(expected: readonly ManifestFile[], found: readonly ManifestFile[]): Difference[] {
  const foundByPath = new Map(found.map((file) => [file.path, file]));
  const expectedPaths = new Set(expected.map(({ path }) => path));
  const differences: Difference[] = [];
  for (const file of expected) {
    const other = foundByPath.get(file.path);
    if (describeFile(file) !== describeFile(other)) {
      differences.push({
        code: "file",
        subject: file.path,
        what: file.path,
        expected: describeFile(file),
        found: describeFile(other),
      });
    }
  }
  for (const file of found) {
    if (!expectedPaths.has(file.path)) {
      differences.push({
        code: "file",
        subject: file.path,
        what: file.path,
        expected: describeFile(undefined),
        found: describeFile(file),
      });
    }
  }
  return differences
    .toSorted((a, b) => (a.what < b.what ? -1 : Number(a.what > b.what)))
    .slice(0, MAX_FILE_DIFFERENCES);
}

function describeFile(file: ManifestFile | undefined): string {
  if (file === undefined) return "no such file";
  return file.type === "link" ? `a link to ${file.target}` : `sha256 ${file.sha256}`;
}

/**
 * What an unknown image says about itself, as far as the measured sections of its UKI prove it: the reported command
 * line and os-release count only when their digest is the measured one.
 */
export function describeUnknownRelease(
  events: readonly MeasuredEvent[],
  evidence: Evidence,
  expected: KnownRelease,
): Difference[] {
  const differences: Difference[] = [];
  const osRelease = provedText(evidence.osRelease, measuredSection(events, ".osrel"));
  const version = /^IMAGE_VERSION="?([^"\n]*)"?$/mu.exec(osRelease ?? "")?.[1];
  if (version !== undefined && version !== expected.version) {
    differences.push({
      code: "release",
      what: "release",
      expected: expected.version,
      found: version.slice(0, MAX_SHOWN_CHARACTERS),
    });
  }
  const commandLine = provedText(evidence.commandLine, measuredSection(events, ".cmdline"));
  const rootHash = /(?:^|\s)usrhash=([0-9a-f]+)(?:\s|$)/u.exec(commandLine ?? "")?.[1];
  if (rootHash !== undefined && rootHash !== expected.usr.rootHash) {
    differences.push({
      code: "root-hash",
      what: "root hash of /usr",
      expected: expected.usr.rootHash,
      found: rootHash.slice(0, MAX_SHOWN_CHARACTERS),
    });
  }
  return differences;
}

const MAX_SHOWN_CHARACTERS = 200;
