/**
 * Versions of Go modules and their order: Semantic Versioning 2.0.0, 11, as go.dev/ref/mod#versions has it. Go's own
 * library counts by the release of Go, `go1.24.6` or `1.25rc1`.
 */
import { compareNumbers } from "./debian-version.ts";

type GoVersion = { readonly numbers: readonly string[]; readonly preRelease: readonly string[] };

const MAX_CHARACTERS = 256;
const PATTERN =
  /^(?:v|go)?(?<major>\d+)(?:\.(?<minor>\d+))?(?:\.(?<patch>\d+))?(?:-(?<pre>[0-9A-Za-z.-]+)|(?<stage>rc|beta)(?<count>\d+))?(?:\+[0-9A-Za-z.-]+)?$/u;

/** The order of two versions; undefined when one of them is no version. */
export function compareGoVersions(a: string, b: string): -1 | 0 | 1 | undefined {
  const [left, right] = [parse(a), parse(b)];
  if (left === undefined || right === undefined) return undefined;
  for (const [index, number] of left.numbers.entries()) {
    const result = compareNumbers(number, right.numbers[index] ?? "0");
    if (result !== 0) return result;
  }
  return comparePreReleases(left.preRelease, right.preRelease);
}

function parse(text: string): GoVersion | undefined {
  const groups = text.length > MAX_CHARACTERS ? undefined : PATTERN.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const { major = "0", minor = "0", patch = "0", pre, stage, count } = groups;
  const preRelease = stage === undefined ? (pre?.split(".") ?? []) : [stage, count ?? ""];
  return preRelease.includes("") ? undefined : { numbers: [major, minor, patch], preRelease };
}

/** A release is newer than its pre-releases; more identifiers are newer than fewer. */
function comparePreReleases(a: readonly string[], b: readonly string[]): -1 | 0 | 1 {
  if (a.length === 0 || b.length === 0) return a.length === b.length ? 0 : a.length === 0 ? 1 : -1;
  for (const [index, identifier] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const result = compareIdentifiers(identifier, other);
    if (result !== 0) return result;
  }
  return a.length < b.length ? -1 : 0;
}

/** Numbers are older than words. */
function compareIdentifiers(a: string, b: string): -1 | 0 | 1 {
  const [isNumber, isOther] = [/^\d+$/u.test(a), /^\d+$/u.test(b)];
  if (isNumber && isOther) return compareNumbers(a, b);
  if (isNumber !== isOther) return isNumber ? -1 : 1;
  return a === b ? 0 : a < b ? -1 : 1;
}
