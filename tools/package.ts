/** `npm run package`: see its help. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { AshlarError } from "@ashlar/base";
import { HOST_PACKAGES } from "@ashlar/cli";
import { run, runForText, withTemporaryDirectory } from "@ashlar/host";
import { parseArguments, printHelp, printLine, reportLine, runStep } from "@ashlar/host/terminal";
import { controlFile, debianVersion } from "./package/control.ts";
import { makeHeadlampPackage } from "./package/headlamp.ts";
import { makeKrewPackage } from "./package/krew.ts";
import { sizeKiBOf, stageTree } from "./package/stage.ts";

const ROOT = resolve(import.meta.dirname, "..");

const HELP = `Usage: npm run package [-- --out DIR] [--krew URL] [--headlamp URL]

Makes ashlar_VERSION_amd64.deb: the command line with the Node.js that it runs on, its manual pages, and completion for bash, zsh
and fish, and \`kubectl ashlar\`. It installs on Debian 12, Debian 13 and Ubuntu 24.04, and needs no checkout. Prints the path of the file.

Options:
  --out DIR   where to put it (default: out)
  --krew URL  make the archive and the manifest of the kubectl plugin for Krew, too; both will be published below URL
  --headlamp URL
              make the archive of the Headlamp plugin, too, and its metadata for Artifact Hub (artifacthub-pkg.yml)
  -h, --help  print this

Exit status: 0; 69 when a program fails.

Examples:
  npm run package
  npm run package -- --out /srv/packages && sudo apt install /srv/packages/ashlar_*_amd64.deb
  npm run package -- --krew https://downloads.example.org/ashlar
  kubectl krew install --manifest=out/ashlar.yaml --archive=out/kubectl-ashlar_0.1.0_linux_amd64.tar.gz`;

await runStep(async () => {
  const options = {
    out: { type: "string", default: "out" },
    krew: { type: "string" },
    headlamp: { type: "string" },
    help: { type: "boolean", short: "h" },
  } as const;
  const { values } = parseArguments({ options }, "npm run package -- --help");
  if (values.help === true) {
    printHelp(HELP);
    return 0;
  }
  const { krew, headlamp } = values;
  requireUrl("--krew", krew);
  requireUrl("--headlamp", headlamp);
  for (const path of await makePackage(resolve(values.out), { krew, headlamp })) printLine(path);
  return 0;
});

function requireUrl(option: string, url: string | undefined): void {
  if (url === undefined || /^https:\/\/[^/]/u.test(url)) return;
  throw new AshlarError("usage", `expected an https URL after ${option}, found ${url}`, {
    hint: `for example: npm run package -- ${option} https://downloads.example.org/ashlar`,
  });
}

type Bases = { readonly krew: string | undefined; readonly headlamp: string | undefined };

async function makePackage(directory: string, { krew, headlamp }: Bases): Promise<readonly string[]> {
  const manifest: { version: string } = JSON.parse(await readFile(join(ROOT, "apps/cli/package.json"), "utf8"));
  const { version } = manifest;
  await mkdir(directory, { recursive: true });
  const path = join(directory, `ashlar_${debianVersion(version)}_amd64.deb`);
  const onStep = (line: string): void => reportLine(`package: ${line}`);
  // Beside the result, which is then moved there in one step.
  return await withTemporaryDirectory(async (temporary) => {
    const tree = join(temporary, "tree");
    await stageTree({ root: ROOT, tree, version, onStep });
    const committedAt = (await runForText("git", ["-C", ROOT, "log", "-1", "--format=%ct"])).trim();
    const archive = { directory, version, time: committedAt, onStep };
    const others = [
      ...(krew === undefined ? [] : await makeKrewPackage({ ...archive, tree, base: krew })),
      ...(headlamp === undefined ? [] : await makeHeadlampPackage({ ...archive, base: headlamp })),
    ];
    await mkdir(join(tree, "DEBIAN"));
    await writeFile(join(tree, "DEBIAN/control"), controlFile(version, await sizeKiBOf(tree), HOST_PACKAGES));
    onStep("ashlar.deb");
    const made = join(temporary, "ashlar.deb");
    // umask of whoever builds must not decide who can read what is installed.
    await run("chmod", ["-R", "u=rwX,go=rX", tree]);
    await run("dpkg-deb", ["--root-owner-group", "-Zzstd", "--build", tree, made], {
      env: { ...process.env, SOURCE_DATE_EPOCH: committedAt },
    });
    await rename(made, path);
    return [path, ...others];
  }, directory);
}
