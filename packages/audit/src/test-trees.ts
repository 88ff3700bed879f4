/** For tests: trees as nodes have them, made by hand, and what the collector says of them. */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after } from "node:test";
import { collectRoot } from "./collect/collect-root.ts";
import { SnapshotReader } from "./snapshot/snapshot-reader.ts";
import type { Snapshot } from "./snapshot/snapshot.ts";

export const PATIENCE_MS = 300_000;
const directories: string[] = [];
after(async () => {
  for (const each of directories) await rm(each, { recursive: true, force: true });
});

export async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "audit-"));
  directories.push(directory);
  return directory;
}

/** A tree with these files, each with its content. */
export async function makeTree(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await newDirectory();
  for (const [path, content] of Object.entries(files)) await put(root, path, content);
  return root;
}

export async function put(root: string, path: string, content: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

/** A tree of Debian's form: /usr merged, a database with these packages, each a version and its files. */
export async function makeDebianTree(
  packages: Readonly<Record<string, { readonly version: string; readonly files?: readonly string[] }>>,
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  const root = await makeTree({
    "usr/bin/tool": "tool\n",
    "usr/lib/os-release": 'PRETTY_NAME="Debian 13.2"\n',
    ...files,
  });
  await symlink("usr/bin", join(root, "bin"));
  const entries = Object.entries(packages);
  for (const [name, { files: owned = [] }] of entries)
    await put(root, `var/lib/dpkg/info/${name}.list`, ["/.", ...owned, ""].join("\n"));
  const status = entries.map(
    ([name, { version }]) =>
      `Package: ${name}\nStatus: install ok installed\nArchitecture: all\nMaintainer: a\nVersion: ${version}\n` +
      `Conffiles:\n /etc/${name}.conf ${"a".repeat(32)}\nDescription: a\n`,
  );
  await put(root, "var/lib/dpkg/status", `${status.join("\n")}\n`);
  const log = entries.map(
    ([name, { version }], index) => `2026-03-0${index + 1} 10:00:00 install ${name}:all <none> ${version}\n`,
  );
  await put(root, "var/log/dpkg.log", log.join(""));
  return root;
}

export async function snapshotOf(root: string): Promise<Snapshot> {
  const to = join(await newDirectory(), "snapshot");
  await collectRoot(root, { to, pieces: `${to}.pieces`, patienceMs: PATIENCE_MS });
  return new SnapshotReader().read(await readFile(to));
}

/** Owners, devices and capabilities can be made by root alone. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** `$COLLECTOR` is what a node's shell is given. */
export function sh(script: string, cwd: string): string {
  const env = { ...process.env, COLLECTOR: join(import.meta.dirname, "collect/collect.sh") };
  return execFileSync("sh", ["-ec", script], { cwd, encoding: "utf8", env });
}
