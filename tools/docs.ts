/** `npm run docs`: see its help. */
import { globSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { butanePages } from "@ashlar/butane";
import { createProgram } from "@ashlar/cli";
import { parseArguments, printHelp, runStep } from "@ashlar/host/terminal";
import { readBootInputs } from "@ashlar/lab";
import { withBootInputs } from "./docs/boot-inputs-table.ts";
import { findLooseClaims } from "./docs/claims/find-loose-claims.ts";
import { readClaims } from "./docs/claims/read-claims.ts";
import { commandPages } from "./docs/command-pages.ts";
import { differencePage } from "./docs/difference-page.ts";
import { schemaPages } from "./docs/schema-pages.ts";

const DIRECTORY = "docs/reference";

const CLAIMS = "docs/claims.yaml";
const SECURITY = "SECURITY.md";

const HELP = `Usage: npm run docs [-- --check]

Writes ${DIRECTORY} from the command tree and the schemas, and the table of boot inputs in ${SECURITY}.

Options:
  --check     write nothing: say which pages are not up to date, and which of their claims no test holds (${CLAIMS})
  -h, --help  print this

Exit status: 0; with --check 1 when something is not up to date.

Examples:
  npm run docs
  npm run docs -- --check`;

await runStep(async () => {
  const options = { check: { type: "boolean" }, help: { type: "boolean", short: "h" } } as const;
  const { values } = parseArguments({ options }, "npm run docs -- --help");
  if (values.help !== true) return await writePages(values.check === true);
  printHelp(HELP);
  return 0;
});

/** Gives the exit status. */
async function writePages(onlyChecks: boolean): Promise<number> {
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

  const securityPage = await readFile(SECURITY, "utf8");
  const expectedSecurityPage = withBootInputs(securityPage, await readBootInputs());
  const isSecurityPageOutdated = securityPage !== expectedSecurityPage;

  if (onlyChecks) {
    for (const path of outdated) console.error(`${DIRECTORY}/${path} is not what the code says: run \`npm run docs\``);
    for (const path of surplus)
      console.error(`${DIRECTORY}/${path} documents nothing that exists: run \`npm run docs\``);
    if (isSecurityPageOutdated)
      console.error(`${SECURITY} is not what docs/boot-inputs.yaml says: run \`npm run docs\``);
    const looseClaims = await findLooseClaims(".", await readClaims(CLAIMS));
    for (const problem of looseClaims) console.error(`${CLAIMS}: ${problem} (its head says what to do)`);
    const problems = outdated.length + surplus.length + looseClaims.length + (isSecurityPageOutdated ? 1 : 0);
    return problems === 0 ? 0 : 1;
  }
  for (const path of surplus) await rm(join(DIRECTORY, path));
  for (const path of outdated) {
    await mkdir(dirname(join(DIRECTORY, path)), { recursive: true });
    await writeFile(join(DIRECTORY, path), pages.get(path) ?? "");
  }
  if (isSecurityPageOutdated) await writeFile(SECURITY, expectedSecurityPage);
  console.log(`${DIRECTORY}: ${pages.size} pages, ${outdated.length} written, ${surplus.length} removed`);
  return 0;
}
