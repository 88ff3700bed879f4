import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { oneLine, pageBlocks } from "./page-blocks.ts";
import type { Claim, ClaimsOfPage } from "./read-claims.ts";

/**
 * What is no longer true of a list of claims, a line for each: words that the page does not have, tests that are not there, and
 * parts of a page that no claim quotes.
 */
export async function findLooseClaims(root: string, pages: readonly ClaimsOfPage[]): Promise<string[]> {
  const found: string[] = [];
  for (const { page, isComplete, claims } of pages) {
    const text = await readFile(join(root, page), "utf8");
    const blocks = isComplete ? pageBlocks(text) : [];
    const said = claims.map(({ says }) => oneLine(says));
    for (const words of said) {
      if (!oneLine(text).includes(words)) found.push(`${page} does not say: ${words}`);
    }
    for (const block of blocks) {
      if (!said.some((words) => block.includes(words))) found.push(`${page}: no claim is listed for: ${block}`);
    }
    for (const claim of claims) found.push(...(await missingTests(root, page, claim)));
  }
  return found;
}

async function missingTests(root: string, page: string, { says, tests }: Claim): Promise<string[]> {
  const found: string[] = [];
  for (const { file, title } of tests) {
    const source = await readFile(join(root, file), "utf8").catch(() => undefined);
    if (source !== undefined && hasTitle(source, title)) continue;
    const now = await filesWith(root, title);
    const where = now.length === 0 ? "" : `, but ${now.join(", ")} has`;
    found.push(`${page}, "${oneLine(says)}": ${file} has no "${title}"${where}`);
  }
  return found;
}

/** Where a test has gone. */
async function filesWith(root: string, title: string): Promise<string[]> {
  const found: string[] = [];
  for (const file of globSync(["{packages,apps}/*/src/**/*.test.ts", "{test,tools}/**/*.{test,bench}.ts"], {
    cwd: root,
  })) {
    if (hasTitle(await readFile(join(root, file), "utf8"), title)) found.push(file);
  }
  return found;
}

/** A title that is computed stands in the list as in the source, with `${...}`. */
function hasTitle(source: string, title: string): boolean {
  return [JSON.stringify(title), `'${title}'`, `\`${title}\``].some((literal) => source.includes(literal));
}
