/**
 * `npm run docs` writes docs/reference from the command tree and the schemas, and the table of boot inputs in SECURITY.md; with
 * --check it only says which pages are not up to date, and which of their claims no test holds (docs/claims.yaml).
 */
import { globSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { butanePages } from "@ashlar/butane";
import { createProgram } from "@ashlar/cli";
import { readBootInputs } from "@ashlar/lab";
import { withBootInputs } from "./docs/boot-inputs-table.ts";
import { findLooseClaims } from "./docs/claims/find-loose-claims.ts";
import { readClaims } from "./docs/claims/read-claims.ts";
import { commandPages } from "./docs/command-pages.ts";
import { differencePage } from "./docs/difference-page.ts";
import { schemaPages } from "./docs/schema-pages.ts";

const DIRECTORY = "docs/reference";

/** Page texts by path below docs/reference. */
const pages = new Map([
  ...commandPages(await createProgram()),
  ...schemaPages(),
  ...butanePages(),
  ["differences.md", differencePage()],
]);
const present = globSync("**/*", { cwd: DIRECTORY, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).replace(`${DIRECTORY}/`, ""));
const surplus = present.filter((path) => !pages.has(path));
const outdated: string[] = [];
for (const [path, text] of pages) {
  const found = await readFile(join(DIRECTORY, path), "utf8").catch(() => undefined);
  if (found !== text) outdated.push(path);
}

const CLAIMS = "docs/claims.yaml";
const SECURITY = "SECURITY.md";
const securityPage = await readFile(SECURITY, "utf8");
const expectedSecurityPage = withBootInputs(securityPage, await readBootInputs());
const isSecurityPageOutdated = securityPage !== expectedSecurityPage;

if (process.argv.includes("--check")) {
  for (const path of outdated) console.error(`${DIRECTORY}/${path} is not what the code says: run \`npm run docs\``);
  for (const path of surplus) console.error(`${DIRECTORY}/${path} documents nothing that exists: run \`npm run docs\``);
  if (isSecurityPageOutdated) console.error(`${SECURITY} is not what docs/boot-inputs.yaml says: run \`npm run docs\``);
  const looseClaims = await findLooseClaims(".", await readClaims(CLAIMS));
  for (const problem of looseClaims) console.error(`${CLAIMS}: ${problem} (its head says what to do)`);
  const problems = outdated.length + surplus.length + looseClaims.length + (isSecurityPageOutdated ? 1 : 0);
  process.exitCode = problems === 0 ? 0 : 1;
} else {
  for (const path of surplus) await rm(join(DIRECTORY, path));
  for (const path of outdated) {
    await mkdir(dirname(join(DIRECTORY, path)), { recursive: true });
    await writeFile(join(DIRECTORY, path), pages.get(path) ?? "");
  }
  if (isSecurityPageOutdated) await writeFile(SECURITY, expectedSecurityPage);
  console.log(`${DIRECTORY}: ${pages.size} pages, ${outdated.length} written, ${surplus.length} removed`);
}
