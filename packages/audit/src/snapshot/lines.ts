export function linesOf(text = ""): string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** Before and after the first of these; nothing after it where there is none. */
export function splitAt(line: string, mark: string): [string, string] {
  const at = line.indexOf(mark);
  return at === -1 ? [line, ""] : [line.slice(0, at), line.slice(at + mark.length)];
}
