/** The files that make a tree an extension: who it is, for which hosts, and what a node does with it. */
import { lstat, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import {
  behaviourPath,
  checkBehaviour,
  type ExtensionBehaviour,
  type ExtensionKind,
  NO_BEHAVIOUR,
  parseBehaviour,
} from "@ashlar/protocol";
import { checkWayToFile } from "./tree/check-way.ts";

export type ExtensionIdentity = { readonly kind: ExtensionKind; readonly name: string; readonly version: string };

/** `level` is the host's SYSEXT_LEVEL or CONFEXT_LEVEL; with the ID `_any` there is none. */
export type ExtensionHost = { readonly id: string; readonly level: string | null };

/** What `os/usr/lib/os-release` says. */
export const ASHLAR_HOST: ExtensionHost = { id: "ashlar", level: "1.0" };

const THE_INPUT = "the input";
/** Has systemd read its unit files anew (systemd-sysext(8)). */
const RELOAD = "EXTENSION_RELOAD_MANAGER";
const UNIT_DIRECTORIES = { sysext: "/usr/lib/systemd/system/", confext: "/etc/systemd/system/" } as const;

/**
 * Writes the extension-release file. One that came with the tree must not say something else.
 *
 * @param paths the absolute paths of everything in the tree
 * @throws AshlarError `conflict`, `invalid` for a link on the way to it
 */
export async function writeRelease(
  tree: string,
  { kind, name, version }: ExtensionIdentity,
  host: ExtensionHost,
  paths: readonly string[],
): Promise<void> {
  const directory = `${kind === "sysext" ? "/usr/lib" : "/etc"}/extension-release.d`;
  const fileName = `extension-release.${name}`;
  await checkWayToFile(tree, `${directory}/${fileName}`, THE_INPUT);
  const given = await readGiven(join(tree, directory), fileName);
  const hasUnits = paths.some((path) => path.startsWith(UNIT_DIRECTORIES[kind])) || given.get(RELOAD) === "1";
  const fields = new Map([
    ["ID", host.id],
    ...(host.level === null ? [] : ([[kind === "sysext" ? "SYSEXT_LEVEL" : "CONFEXT_LEVEL", host.level]] as const)),
    ["ARCHITECTURE", "x86-64"],
    ["IMAGE_ID", name],
    ["IMAGE_VERSION", version],
    ...(hasUnits ? ([[RELOAD, "1"]] as const) : []),
  ]);
  for (const [key, value] of given) {
    const wanted = fields.get(key);
    if (wanted !== value) throw conflict(wanted === undefined ? `no ${key}` : `${key}=${wanted}`, `${key}=${value}`);
  }
  await writeInside(join(tree, directory, fileName), [...fields].map(([key, value]) => `${key}=${value}\n`).join(""));
}

/** The assignments in a file that came with the tree. */
async function readGiven(directory: string, fileName: string): Promise<ReadonlyMap<string, string>> {
  const found = await readdir(directory).catch((): string[] => []);
  const other = found.find((each) => each !== fileName);
  if (other !== undefined) throw conflict(fileName, other);
  const text = found.length === 0 ? "" : await readFile(join(directory, fileName), "utf8");
  const assignments = text.matchAll(/^\s*(?<key>[A-Z_]+)=["']?(?<value>.*?)["']?\s*$/gmu);
  return new Map(Array.from(assignments, ({ groups }) => [groups?.["key"] ?? "", groups?.["value"] ?? ""]));
}

function conflict(expected: string, found: string): AshlarError {
  return new AshlarError("conflict", `extension-release file in the input: expected ${expected}, found ${found}`, {
    hint: "leave it out: it is written when the extension is built",
  });
}

/**
 * What a file in the tree says already of what a node does with it.
 *
 * @throws AshlarError `malformed`, `invalid` for a link on the way to it
 */
export async function readTreeBehaviour(tree: string, { kind, name }: ExtensionIdentity): Promise<ExtensionBehaviour> {
  await checkWayToFile(tree, behaviourPath(kind, name), THE_INPUT);
  const text = await readFile(join(tree, behaviourPath(kind, name)), "utf8").catch(() => undefined);
  return text === undefined ? NO_BEHAVIOUR : parseBehaviour(text);
}

/**
 * Writes what a node does with the extension, unless that is nothing.
 *
 * @throws AshlarError `invalid` when the health check is not in the tree, or for a link on the way
 */
export async function writeBehaviour(
  tree: string,
  { kind, name }: ExtensionIdentity,
  behaviour: ExtensionBehaviour,
): Promise<void> {
  const { healthCheck } = checkBehaviour(behaviour);
  if (healthCheck !== null) await checkExecutable(tree, healthCheck);
  if (JSON.stringify(behaviour) === JSON.stringify(NO_BEHAVIOUR)) return;
  await checkWayToFile(tree, behaviourPath(kind, name), THE_INPUT);
  await writeInside(join(tree, behaviourPath(kind, name)), `${JSON.stringify(behaviour)}\n`);
}

/** All that several sources ask for, in an order that does not depend on theirs; the last health check wins. */
export function joinBehaviour(all: readonly ExtensionBehaviour[], replaces: readonly string[]): ExtensionBehaviour {
  const union = (field: "restart" | "reload" | "start"): string[] =>
    [...new Set(all.flatMap((each) => each[field]))].toSorted();
  return {
    replaces,
    restart: union("restart"),
    reload: union("reload"),
    start: union("start"),
    healthCheck: all.findLast((each) => each.healthCheck !== null)?.healthCheck ?? null,
  };
}

async function checkExecutable(tree: string, path: string): Promise<void> {
  await checkWayToFile(tree, path, "health check");
  const found = await lstat(join(tree, path)).catch(() => undefined);
  if (found?.isFile() === true && (found.mode & 0o111) !== 0) return;
  throw new AshlarError("invalid", `health check: expected an executable ${path} in the extension, found none`);
}

/** The file may be a hard link to one of the user's: it is made anew, not written over. */
async function writeInside(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  await writeFile(path, text, { mode: 0o644 });
}
