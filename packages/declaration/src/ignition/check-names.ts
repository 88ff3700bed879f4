import { AshlarError, foldName } from "@ashlar/base";

/** What this package reads of a config. */
const READ: ReadonlySet<string> = new Set([
  "append",
  "compression",
  "config",
  "contents",
  "files",
  "hash",
  "ignition",
  "links",
  "merge",
  "path",
  "replace",
  "source",
  "storage",
  "target",
  "verification",
]);
const MAX_DEPTH = 64;
const MAX_SHOWN_CHARACTERS = 40;
const ASCII = /^[\u0020-\u007E]*$/u;

/** An object or list that is open where the reading stands. */
type Open = { readonly names: Set<string> | undefined; member: string; index: number; isName: boolean };

/**
 * Refuses members that Go's decoder, and so Ignition, reads in another way than JavaScript's: it takes a name in any case,
 * and decodes a member that comes twice into the same value, so that parts of the first one stay.
 *
 * @param text JSON that has been parsed already
 * @throws AshlarError `malformed`, `limit`
 */
export function checkNames(text: string, place: string): void {
  const opened: Open[] = [];
  for (let offset = 0; offset < text.length; offset++) {
    const open = opened.at(-1);
    const character = text[offset];
    if (character === '"') {
      const end = endOfString(text, offset);
      if (open?.isName === true) checkName(String(JSON.parse(text.slice(offset, end))), open, pathOf(place, opened));
      offset = end - 1;
    } else if (character === "{" || character === "[") {
      if (opened.length > MAX_DEPTH)
        throw new AshlarError("limit", `${place}: expected JSON at most ${MAX_DEPTH} deep`);
      const isObject = character === "{";
      opened.push({ names: isObject ? new Set() : undefined, member: "", index: 0, isName: isObject });
    } else if (character === "}" || character === "]") opened.pop();
    else if (character === ":" && open !== undefined) open.isName = false;
    else if (character === "," && open !== undefined) {
      open.isName = open.names !== undefined;
      open.index++;
    }
  }
}

function checkName(name: string, open: Open, place: string): void {
  const folded = foldName(name);
  if (open.names?.has(folded) === true) throw refused(place, "each member once", name, " again");
  if (!ASCII.test(name)) throw refused(place, "names of members in ASCII", name);
  if (READ.has(folded) && folded !== name) throw refused(place, `the member ${folded}`, name);
  open.names?.add(folded);
  open.member = name;
}

function refused(place: string, expected: string, name: string, more = ""): AshlarError {
  // As JSON has it: two letters can look the same.
  const found = JSON.stringify(name.slice(0, MAX_SHOWN_CHARACTERS)).replaceAll(
    /[^\u0020-\u007E]/gu,
    (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`,
  );
  return new AshlarError("malformed", `${place}: expected ${expected}, found ${found}${more}`, {
    hint: "Ignition takes names in any case, and the parts of all members of one name",
  });
}

function pathOf(place: string, opened: readonly Open[]): string {
  const steps = opened.slice(0, -1).map(({ names, member, index }) => (names === undefined ? String(index) : member));
  return [place, ...steps].join(".");
}

function endOfString(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
  return end + 1;
}
