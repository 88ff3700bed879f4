import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "@ashlar/host";
import { AshlarError, formatProblem, membersOf } from "@ashlar/base";
import {
  type DeclarationProblem,
  type DeclaredExtension,
  declaredExtensions,
  EXTENSIONS_FILE,
  isTransferPath,
  parseTransferFile,
  transfersInForce,
} from "@ashlar/declaration";
import type { ExtensionPaths } from "../shared/node-paths.ts";

export type Declared = {
  readonly declared: readonly DeclaredExtension[];
  /** Each in one line, for the journal. */
  readonly problems: readonly string[];
};

/** Where the initrd puts the links that Ignition has made in /etc/extensions (os/initrd/90ashlar/ashlar-presets). */
const DECLARED_LINKS = "etc/ashlar/declared-extensions";
const MAX_FILE_BYTES = 256 * 1024;
const MAX_FILES = 256;

/**
 * What this node was declared to have. /etc is read as it was before any confext was merged over it: what is declared
 * comes from the measured configuration alone.
 */
export async function readDeclared({ base, runtime }: Pick<ExtensionPaths, "base" | "runtime">): Promise<Declared> {
  const [extensionsFile, links, files, transfers] = await Promise.all([
    readText(join(base, EXTENSIONS_FILE)),
    readLinks(join(base, DECLARED_LINKS)),
    readImageSources(join(runtime, "images")),
    readTransfers(join(base, "etc")),
  ]);
  const { declared, problems } = declaredExtensions({
    extensionsFile: extensionsFile ?? null,
    links,
    files,
    transfers,
  });
  return { declared, problems: problems.map(describe) };
}

function describe({ file, ...problem }: DeclarationProblem): string {
  return formatProblem(problem, { name: file, text: "" });
}

type Link = { readonly path: string; readonly target: string };

async function readLinks(directory: string): Promise<Link[]> {
  const found: Link[] = [];
  for (const name of await namesIn(directory)) {
    const target = await readlink(join(directory, name)).catch(() => "");
    found.push({ path: `/etc/extensions/${name}`, target });
  }
  return found;
}

async function readTransfers(etc: string): Promise<{ path: string; text: string }[]> {
  const found: { path: string; text: string }[] = [];
  for (const directory of (await namesIn(etc)).filter((name) => /^sysupdate\..+\.d$/u.test(name))) {
    for (const name of await namesIn(join(etc, directory))) {
      const path = `/etc/${directory}/${name}`;
      const text = isTransferPath(path) ? await readText(join(etc, directory, name)) : undefined;
      if (text !== undefined) found.push({ path, text });
    }
  }
  return found;
}

/** The text of the transfer file that updates an extension; empty when there is none. */
export async function readTransferOf({ base }: Pick<ExtensionPaths, "base">, name: string): Promise<string> {
  const transfers = await readTransfers(join(base, "etc"));
  return transfersInForce(transfers).find(({ text }) => parseTransferFile(text).transfer?.name === name)?.text ?? "";
}

/** The initrd notes in a line each what it took out of the configuration; of two for one path the later one counts. */
async function readImageSources(path: string): Promise<{ path: string; url: string | null; hash: string | null }[]> {
  const lines = ((await readText(path)) ?? "").split("\n").filter((line) => line !== "");
  const found = lines.map((line) => {
    const { path: file, url, hash } = membersOf(JSON.parse(line));
    const textOf = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);
    return { path: String(file), url: textOf(url), hash: textOf(hash) };
  });
  return [...new Map(found.map((each) => [each.path, each])).values()];
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).toSorted().slice(0, MAX_FILES);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    const text = await readFile(path, "utf8");
    if (text.length <= MAX_FILE_BYTES) return text;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  throw new AshlarError("limit", `${path}: expected at most ${MAX_FILE_BYTES} characters`);
}
