import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { messageOf, membersOf } from "@ashlar/base";
import { readTail, runForText } from "@ashlar/host";
import { reportText } from "@ashlar/host/terminal";
import type { ReleaseFailure } from "@ashlar/protocol";
import type { NodePaths } from "../shared/node-paths.ts";

type LastWords = Pick<ReleaseFailure, "bootId" | "check" | "message">;

const MAX_MESSAGE_CHARACTERS = 1900;
const LINES = 15;
const ERRORS = 7;
/** What leads to a panic says most about it; its call trace follows. */
const LINES_BEFORE_PANIC = 8;
const MAX_PSTORE_DEPTH = 3;
const MAX_DUMP_BYTES = 65_536;
const MAX_PARTS = 64;

const NO_TRACE =
  "it was tried until its tries were used up, and no boot of it left a trace: it ended before it could write to /var " +
  "(in the boot loader, in the initrd, by a panic, or by the watchdog). Its console says more.";
const ONLY_JOURNAL =
  "no health check of it spoke: it was cut off, by the watchdog for example. Its last errors, and the end of its journal:";

/**
 * What the boots of a release that failed have left: a panic's record, or the end of the journal.
 *
 * `sinceMs`: when the release was installed. What is older is not of it.
 */
export async function findLastWords(
  paths: Pick<NodePaths, "pstore">,
  runningRootHash: string,
  sinceMs: number,
): Promise<LastWords> {
  const panic = await findPanic(paths.pstore, sinceMs);
  if (panic !== undefined) return { bootId: null, check: "panic", message: panic };
  const journal = await readPreviousBoot(runningRootHash).catch((error: unknown) => {
    reportText(`the journal of the boot before cannot be read: ${messageOf(error)}`);
    return undefined;
  });
  return journal ?? { bootId: null, check: "unknown", message: NO_TRACE };
}

type Dump = { readonly path: string; readonly atMs: number };

/**
 * The lines around the panic in the kernel's log. systemd-pstore(8) makes one `dmesg.txt` of a record's parts; until it
 * has run they are files of the kernel's, of which those with the highest numbers have the oldest lines.
 */
async function findPanic(directories: readonly string[], sinceMs: number): Promise<string | undefined> {
  const dumps: Dump[] = [];
  for (const directory of directories) {
    for (const path of await findDumps(directory, MAX_PSTORE_DEPTH)) {
      const { mtimeMs: atMs } = await stat(path);
      if (atMs >= sinceMs) dumps.push({ path, atMs });
    }
  }
  const [whole] = dumps.filter(({ path }) => basename(path) === "dmesg.txt").toSorted((a, b) => b.atMs - a.atMs);
  const parts = dumps.toSorted((a, b) => (a.path < b.path ? 1 : -1)).slice(0, MAX_PARTS);
  const texts: string[] = [];
  for (const { path } of whole === undefined ? parts : [whole]) {
    texts.push((await readTail(path, MAX_DUMP_BYTES)).toString("utf8"));
  }
  return texts.length === 0 ? undefined : aroundPanic(texts.join("\n"));
}

function aroundPanic(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const panic = lines.findLastIndex((line) => line.includes("Kernel panic - not syncing"));
  const first = panic === -1 ? lines.length - LINES : panic - LINES_BEFORE_PANIC;
  return lines.slice(Math.max(0, first)).slice(0, LINES).join("\n").slice(0, MAX_MESSAGE_CHARACTERS);
}

async function findDumps(directory: string, depth: number): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const found: string[] = [];
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && depth > 0) found.push(...(await findDumps(path, depth - 1)));
    else if (entry.isFile() && entry.name.startsWith("dmesg")) found.push(path);
  }
  return found;
}

/** The journal's end of the boot before this one, if that boot was of another /usr. */
async function readPreviousBoot(runningRootHash: string): Promise<LastWords | undefined> {
  const boot = ["--boot=-1", "--no-pager", "--quiet"];
  const kernel = await runForText("journalctl", [...boot, "--dmesg", "--output=cat", "--lines=+200"]);
  const rootHash = /\busrhash=(?<hash>[0-9a-f]{64})\b/u.exec(kernel)?.groups?.["hash"];
  if (rootHash === undefined || rootHash === runningRootHash) return undefined;
  const read = async (...choice: string[]): Promise<string> =>
    await runForText("journalctl", [...boot, "--output=json", ...choice]);
  // A service that fails is soon followed by many lines about the reboot.
  const errors = await read("--priority=err", `--lines=${ERRORS}`);
  return parseJournal(`${errors}\n${await read(`--lines=${LINES - ERRORS}`)}`);
}

/** The lines of `journalctl --output=json`. */
export function parseJournal(output: string): LastWords | undefined {
  const records = output.split("\n").flatMap((line) => {
    try {
      return [membersOf(JSON.parse(line))];
    } catch {
      return [];
    }
  });
  const bootId = records.at(-1)?.["_BOOT_ID"];
  if (typeof bootId !== "string") return undefined;
  const lines = records.map(({ SYSLOG_IDENTIFIER: who, MESSAGE: what }) => `${textOf(who)}: ${textOf(what)}`);
  const message = `${ONLY_JOURNAL}\n${lastLines(lines.join("\n"))}`;
  return { bootId: bootId.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, "$1-$2-$3-$4-$5"), check: "unknown", message };
}

function lastLines(text: string): string {
  return text.trimEnd().split("\n").slice(-LINES).join("\n").slice(-MAX_MESSAGE_CHARACTERS);
}

/** What is not text comes as a list of bytes. */
function textOf(field: unknown): string {
  return typeof field === "string" ? field : "(not text)";
}
