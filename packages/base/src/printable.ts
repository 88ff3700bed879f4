/**
 * What is not a character to read: control characters (Cc), line and paragraph separators, halves of surrogate pairs, and
 * the controls of the bidirectional algorithm, which show a text in another order than it has (Unicode, UAX 9).
 */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/gu;

/** A URL's user information (RFC 3986, 3.2.1). The look-behind keeps the search linear. */
const USER_INFORMATION = /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#\\]*@/giu;

/**
 * A text as one line that any terminal shows as it is: what is no character to read is written as JSON writes it, as
 * `\u001b` or `\n`, and names and passwords in URLs are left out. Whoever made the text cannot move the cursor, colour,
 * hide or begin a line.
 */
export function printable(text: string): string {
  return escapeUnprintable(withoutPasswords(text));
}

export type JsonForm = {
  /** Default: over several lines. */
  readonly lines?: "one" | "several";
  /** Whether names and passwords in URLs are left out. Default: they are. */
  readonly passwords?: "hide" | "keep";
};

/** JSON for people and programs: what is no character to read is escaped, and no URL shows a password. */
export function printableJson(value: unknown, { lines = "several", passwords = "hide" }: JsonForm = {}): string {
  const hide = (_: string, member: unknown): unknown =>
    typeof member === "string" ? withoutPasswords(member) : member;
  const json = JSON.stringify(value, passwords === "hide" ? hide : undefined, lines === "several" ? 2 : undefined);
  // Outside of strings JSON has only line feeds of its own.
  return json.split("\n").map(escapeUnprintable).join("\n");
}

function escapeUnprintable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => SHORT.get(character) ?? longEscape(character));
}

const SHORT: ReadonlyMap<string, string> = new Map([
  ["\n", String.raw`\n`],
  ["\r", String.raw`\r`],
  ["\t", String.raw`\t`],
]);

function longEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** `https://user:secret@host/` as `https://***@host/`. */
function withoutPasswords(text: string): string {
  return text.replaceAll(USER_INFORMATION, "$1***@");
}
