import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { withTemporaryDirectory } from "@ashlar/host";
import { findLooseClaims } from "./find-loose-claims.ts";
import { pageBlocks } from "./page-blocks.ts";
import { readClaims } from "./read-claims.ts";

const PAGE = `# Heading

A paragraph of
two lines.

- an item
  that goes on
1. a number

| head | of a table |
|---|---|
| a row | of it |

    code

> quoted
> words
<!-- Written by \`npm run docs\` from elsewhere -->
Generated.
<!-- End of what \`npm run docs\` has written. -->
`;

test("paragraphs, items and rows are what a page claims", () => {
  assert.deepEqual(pageBlocks(PAGE), [
    "A paragraph of two lines.",
    "- an item that goes on",
    "1. a number",
    "| a row | of it |",
    "quoted words",
  ]);
});

test("a claim that nothing holds is named", async () => {
  const claims = `
- page: PAGE.md
  complete: true
  claims:
    - says: a paragraph nobody wrote
      untested: it is a wish
    - says: paragraph of two
      tests:
        - gone.test.ts: any
        - there.test.ts: another
        - there.test.ts: one
        - there.test.ts: moved
        - there.test.ts: "computed: \${what}"
    - {says: that goes on, untested: it is an example}
    - {says: number, untested: it is an example}
    - {says: quoted words, untested: it is an example}
`;
  const found = await inDirectory(
    {
      "PAGE.md": PAGE,
      "there.test.ts": 'test("one", f); test(`computed: ${what}`, f);',
      "test/e2e/a.test.ts": 'test("moved", f)',
      "claims.yaml": claims,
    },
    async (root) => await findLooseClaims(root, await readClaims(join(root, "claims.yaml"))),
  );
  const open = await inDirectory(
    { "PAGE.md": PAGE, "claims.yaml": "- {page: PAGE.md, complete: false, claims: []}" },
    async (root) => findLooseClaims(root, await readClaims(join(root, "claims.yaml"))),
  );
  assert.deepEqual(open, []);
  assert.deepEqual(found, [
    "PAGE.md does not say: a paragraph nobody wrote",
    "PAGE.md: no claim is listed for: | a row | of it |",
    'PAGE.md, "paragraph of two": gone.test.ts has no "any"',
    'PAGE.md, "paragraph of two": there.test.ts has no "another"',
    'PAGE.md, "paragraph of two": there.test.ts has no "moved", but test/e2e/a.test.ts has',
  ]);
});

test("a claim has tests or the reason why not", async () => {
  for (const rest of ["", "untested: why\n      tests: [{a.test.ts: b}]", "tests: [{a.test.ts: b, c.test.ts: d}]"]) {
    const text = `- page: P.md\n  complete: false\n  claims:\n    - says: words\n      ${rest}\n`;
    await inDirectory({ "claims.yaml": text }, async (root) => {
      await assert.rejects(readClaims(join(root, "claims.yaml")), /expected/u);
    });
  }
});

async function inDirectory<T>(files: Readonly<Record<string, string>>, use: (root: string) => Promise<T>): Promise<T> {
  return await withTemporaryDirectory(async (root) => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    return await use(root);
  });
}
