/** `npm run docs`: see its help. */
import { globSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { butanePages } from "@ashlar/butane";
import { createProgram } from "@ashlar/cli";
import { parseArguments, printHelp, runStep } from "@ashlar/host/terminal";
import { definitionFiles } from "@ashlar/kube";
import { readBootInputs } from "@ashlar/lab";
import { withBootInputs } from "./docs/boot-inputs-table.ts";
import { findLooseClaims } from "./docs/claims/find-loose-claims.ts";
import { readClaims } from "./docs/claims/read-claims.ts";
import { commandPages } from "./docs/command-pages.ts";
import { customResourcePage } from "./docs/custom-resource-page.ts";
import { differencePage } from "./docs/difference-page.ts";
import { metricsPage } from "./docs/metrics-page.ts";
import { reasonsPage } from "./docs/reasons-page.ts";
import { schemaPages } from "./docs/schema-pages.ts";

const PAGES = "docs/reference";
const DEFINITIONS = "deploy/crds";
const CLAIMS = "docs/claims.yaml";
const SECURITY = "SECURITY.md";

const HELP = `Usage: npm run docs [-- --check]

Writes ${PAGES} from the command tree and the schemas, ${DEFINITIONS} from those of custom resources, and the table of boot
inputs in ${SECURITY}.

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
  const pages = new Map([
    ...commandPages(await createProgram()),
    ...schemaPages(),
    ...butanePages(),
    ["differences.md", differencePage()],
    ["custom-resources.md", customResourcePage()],
    ["metrics.md", metricsPage()],
    ["reasons.md", reasonsPage()],
  ]);
  /** Texts by path. */
  const files = new Map([...below(PAGES, pages), ...below(DEFINITIONS, definitionFiles())]);
  const surplus = [PAGES, DEFINITIONS].flatMap(filesIn).filter((path) => !files.has(path));
  const outdated: string[] = [];
  for (const [path, text] of files) {
    const found = await readFile(path, "utf8").catch(() => undefined);
    if (found !== text) outdated.push(path);
  }

  const securityPage = await readFile(SECURITY, "utf8");
  const expectedSecurityPage = withBootInputs(securityPage, await readBootInputs());
  const isSecurityPageOutdated = securityPage !== expectedSecurityPage;

  if (onlyChecks) {
    for (const path of outdated) console.error(`${path} is not what the code says: run \`npm run docs\``);
    for (const path of surplus) console.error(`${path} documents nothing that exists: run \`npm run docs\``);
    if (isSecurityPageOutdated)
      console.error(`${SECURITY} is not what docs/boot-inputs.yaml says: run \`npm run docs\``);
    const looseClaims = await findLooseClaims(".", await readClaims(CLAIMS));
    for (const problem of looseClaims) console.error(`${CLAIMS}: ${problem} (its head says what to do)`);
    const problems = outdated.length + surplus.length + looseClaims.length + (isSecurityPageOutdated ? 1 : 0);
    return problems === 0 ? 0 : 1;
  }
  for (const path of surplus) await rm(path);
  for (const path of outdated) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, files.get(path) ?? "");
  }
  if (isSecurityPageOutdated) await writeFile(SECURITY, expectedSecurityPage);
  console.log(`${files.size} files, ${outdated.length} written, ${surplus.length} removed`);
  return 0;
}

function below(directory: string, texts: ReadonlyMap<string, string>): (readonly [string, string])[] {
  return [...texts].map(([path, text]) => [`${directory}/${path}`, text] as const);
}

function filesIn(directory: string): string[] {
  return globSync(`${directory}/**/*`, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(".", join(entry.parentPath, entry.name)));
}
