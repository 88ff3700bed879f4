/** Versions of Debian packages and their order (Debian Policy, 5.6.12), as dpkg compares them. */

type DebianVersion = { readonly epoch: number; readonly upstream: string; readonly revision: string };

/** What dpkg accepts at most: a C `int`. */
const MAX_EPOCH = 2_147_483_647;
const MAX_CHARACTERS = 256;

/**
 * The order of two versions: negative when `a` is older, 0 when dpkg takes them for the same one.
 *
 * @returns undefined when one of them is no version
 */
export function compareDebianVersions(a: string, b: string): -1 | 0 | 1 | undefined {
  const [left, right] = [parse(a), parse(b)];
  if (left === undefined || right === undefined) return undefined;
  if (left.epoch !== right.epoch) return left.epoch < right.epoch ? -1 : 1;
  return compareParts(left.upstream, right.upstream) || compareParts(left.revision, right.revision);
}

/** `[epoch:]upstream_version[-debian_revision]`; undefined for any other text. */
function parse(text: string): DebianVersion | undefined {
  if (text.length > MAX_CHARACTERS) return undefined;
  const { epoch, rest = "" } = /^(?:(?<epoch>\d+):)?(?<rest>[^\n]*)$/u.exec(text)?.groups ?? {};
  // The last hyphen begins the revision. Without one it is empty, which is the same as 0.
  const hyphen = rest.lastIndexOf("-");
  const upstream = hyphen === -1 ? rest : rest.slice(0, hyphen);
  const revision = hyphen === -1 ? "" : rest.slice(hyphen + 1);
  if (hyphen !== -1 && !/^[0-9A-Za-z.+~]+$/u.test(revision)) return undefined;
  // A colon belongs to the upstream version where an epoch stands before it.
  const pattern = epoch === undefined ? /^[0-9A-Za-z][0-9A-Za-z.+~-]*$/u : /^[0-9A-Za-z][0-9A-Za-z.+~:-]*$/u;
  if (!pattern.test(upstream) || Number(epoch ?? 0) > MAX_EPOCH) return undefined;
  return { epoch: Number(epoch ?? 0), upstream, revision };
}

/** Text and numbers in turn, from the left. The end of a text counts like the begin of a number. */
function compareParts(a: string, b: string): -1 | 0 | 1 {
  let [left, right] = [0, 0];
  while (left < a.length || right < b.length) {
    while (isText(a, left) || isText(b, right)) {
      const difference = weightOf(a, left) - weightOf(b, right);
      if (difference !== 0) return difference < 0 ? -1 : 1;
      left++;
      right++;
    }
    const [number, other] = [digitsAt(a, left), digitsAt(b, right)];
    const result = compareNumbers(number, other);
    if (result !== 0) return result;
    left += number.length;
    right += other.length;
  }
  return 0;
}

function isText(text: string, at: number): boolean {
  return at < text.length && !isDigit(text[at]);
}

/** A tilde sorts before everything, even the end; letters sort before all other characters. */
function weightOf(text: string, at: number): number {
  const character = text[at];
  if (character === undefined || isDigit(character)) return 0;
  if (character === "~") return -1;
  const code = character.charCodeAt(0);
  return /[A-Za-z]/u.test(character) ? code : code + AFTER_LETTERS;
}

const AFTER_LETTERS = 256;

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= "0" && character <= "9";
}

function digitsAt(text: string, at: number): string {
  let end = at;
  while (isDigit(text[end])) end++;
  return text.slice(at, end);
}

/** Of any length, without losing digits. No digits are 0. */
export function compareNumbers(a: string, b: string): -1 | 0 | 1 {
  const [left, right] = [a.replace(/^0+/u, ""), b.replace(/^0+/u, "")];
  if (left.length !== right.length) return left.length < right.length ? -1 : 1;
  return left === right ? 0 : left < right ? -1 : 1;
}
