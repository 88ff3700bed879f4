/**
 * The order of versions by which systemd-boot chooses an entry and systemd-sysupdate a release (UAPI Group "Version
 * Format Specification", "Version Comparison"): negative when `a` is older, positive when it is newer, 0 when they are
 * equal for systemd. Where the specification's examples and systemd disagree (a tilde against nothing) this is systemd.
 */
export function compareVersions(a: string, b: string): -1 | 0 | 1 {
  const left = { text: a, at: 0 };
  const right = { text: b, at: 0 };
  for (;;) {
    skip(left, SEPARATORS);
    skip(right, SEPARATORS);
    const tilde = compareSeparator(left, right, "~");
    if (tilde !== 0) return tilde;
    if (isAtEnd(left) || isAtEnd(right)) return order(Number(!isAtEnd(left)), Number(!isAtEnd(right)));
    for (const separator of ["-", "^", "."]) {
      const result = compareSeparator(left, right, separator);
      if (result !== 0) return result;
    }
    const result = compareComponent(left, right);
    if (result !== 0) return result;
  }
}

type Cursor = { readonly text: string; at: number };

const SEPARATORS = /[^0-9A-Za-z~^.-]*/uy;
const DIGITS = /[0-9]*/uy;
const LETTERS = /[A-Za-z]*/uy;

/** The string that has the separator here is older; when both have it, it is passed over. */
function compareSeparator(left: Cursor, right: Cursor, separator: string): -1 | 0 | 1 {
  const isLeft = left.text[left.at] === separator;
  const isRight = right.text[right.at] === separator;
  if (isLeft !== isRight) return isLeft ? -1 : 1;
  if (isLeft) {
    left.at++;
    right.at++;
  }
  return 0;
}

/** A number is newer than letters; a longer number than a shorter one, leading zeros apart. */
function compareComponent(left: Cursor, right: Cursor): -1 | 0 | 1 {
  const [leftDigits, rightDigits] = [skip(left, DIGITS), skip(right, DIGITS)];
  if (leftDigits === "" && rightDigits === "") return order(skip(left, LETTERS), skip(right, LETTERS));
  if (leftDigits === "" || rightDigits === "") return leftDigits === "" ? -1 : 1;
  const [leftNumber, rightNumber] = [withoutZeros(leftDigits), withoutZeros(rightDigits)];
  return order(leftNumber.length, rightNumber.length) || order(leftNumber, rightNumber);
}

function withoutZeros(digits: string): string {
  return digits.replace(/^0+/u, "");
}

function skip(cursor: Cursor, pattern: RegExp): string {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text)?.[0] ?? "";
  cursor.at += found.length;
  return found;
}

function isAtEnd({ text, at }: Cursor): boolean {
  return at >= text.length;
}

function order<T extends string | number>(a: T, b: T): -1 | 0 | 1 {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
