/** `npm run package`: see its help. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { HOST_PACKAGES } from "@ashlar/cli";
import { run, runForText, withTemporaryDirectory } from "@ashlar/host";
import { parseArguments, printHelp, printLine, reportLine, runStep } from "@ashlar/host/terminal";
import { controlFile, debianVersion } from "./package/control.ts";
import { sizeKiBOf, stageTree } from "./package/stage.ts";

const ROOT = resolve(import.meta.dirname, "..");

const HELP = `Usage: npm run package [-- --out DIR]

Makes ashlar_VERSION_amd64.deb: the command line with the Node.js that it runs on, its manual pages, and completion for bash, zsh
and fish. It installs on Debian 12, Debian 13 and Ubuntu 24.04, and needs no checkout. Prints the path of the file.

Options:
  --out DIR   where to put it (default: out)
  -h, --help  print this

Exit status: 0; 69 when a program fails.

Examples:
  npm run package
  npm run package -- --out /srv/packages && sudo apt install /srv/packages/ashlar_*_amd64.deb`;

await runStep(async () => {
  const options = { out: { type: "string", default: "out" }, help: { type: "boolean", short: "h" } } as const;
  const { values } = parseArguments({ options }, "npm run package -- --help");
  if (values.help === true) {
    printHelp(HELP);
    return 0;
  }
  printLine(await makePackage(resolve(values.out)));
  return 0;
});

async function makePackage(directory: string): Promise<string> {
  const manifest: { version: string } = JSON.parse(await readFile(join(ROOT, "apps/cli/package.json"), "utf8"));
  const { version } = manifest;
  await mkdir(directory, { recursive: true });
  const path = join(directory, `ashlar_${debianVersion(version)}_amd64.deb`);
  const onStep = (line: string): void => reportLine(`package: ${line}`);
  // Beside the result, which is then moved there in one step.
  return await withTemporaryDirectory(async (temporary) => {
    const tree = join(temporary, "tree");
    await stageTree({ root: ROOT, tree, version, onStep });
    await mkdir(join(tree, "DEBIAN"));
    await writeFile(join(tree, "DEBIAN/control"), controlFile(version, await sizeKiBOf(tree), HOST_PACKAGES));
    onStep("ashlar.deb");
    const made = join(temporary, "ashlar.deb");
    const committedAt = await runForText("git", ["-C", ROOT, "log", "-1", "--format=%ct"]);
    // umask of whoever builds must not decide who can read what is installed.
    await run("chmod", ["-R", "u=rwX,go=rX", tree]);
    await run("dpkg-deb", ["--root-owner-group", "-Zzstd", "--build", tree, made], {
      env: { ...process.env, SOURCE_DATE_EPOCH: committedAt.trim() },
    });
    await rename(made, path);
    return path;
  }, directory);
}
