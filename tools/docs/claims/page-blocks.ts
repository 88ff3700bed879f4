/** Marks of generated parts, whose claims have a list of their own. */
const GENERATED = /<!-- Written by [\s\S]*?<!-- End of what [^\n]*-->/gu;
const FENCE = /^```/u;
/** Begins a block of its own: an item of a list or a row of a table. */
const BEGINS_BLOCK = /^\s*(?:[-*]\s|\d+\.\s|\|)/u;
const NO_TEXT = /^\s*(?:#|\|[\s|:-]*$|<!--)/u;

/**
 * The paragraphs, list items and table rows of a Markdown page, each as one line. Headings, the head of a table, code and what
 * `npm run docs` has written are left out.
 */
export function pageBlocks(page: string): string[] {
  const blocks: string[] = [];
  let open: string[] = [];
  let isCode = false;
  const close = (): void => {
    if (open.length > 0) blocks.push(oneLine(open.join(" ")));
    open = [];
  };
  const lines = page.replaceAll(GENERATED, "").split("\n");
  for (const [index, line] of lines.entries()) {
    if (FENCE.test(line)) isCode = !isCode;
    const isHead = line.startsWith("|") && /^\|[\s|:-]*$/u.test(lines[index + 1] ?? "");
    const isIndentedCode = line.startsWith("    ") && open.length === 0;
    if (isCode || FENCE.test(line) || isHead || isIndentedCode || line.trim() === "" || NO_TEXT.test(line)) {
      close();
      continue;
    }
    if (BEGINS_BLOCK.test(line)) close();
    open.push(line);
  }
  close();
  return blocks;
}

/** Text without the places where its lines happen to break. */
export function oneLine(text: string): string {
  return text
    .replaceAll(/(?<=^|\s)>\s/gu, "")
    .replaceAll(/\s+/gu, " ")
    .trim();
}
