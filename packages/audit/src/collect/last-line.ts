/** The last thing that a program says is why it gave up; undefined when it has said nothing. */
export function lastLine(text: string): string | undefined {
  return text
    .split(/[\r\n]+/u)
    .map((line) => line.trim())
    .findLast((line) => line !== "");
}
