import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "@ashlar/base";
import { readTail, runForText } from "@ashlar/host";
import type { ReleaseFailure } from "@ashlar/identity/update-api";
import type { NodePaths } from "./node-paths.ts";
import { membersOf } from "./state-file.ts";

type LastWords = Pick<ReleaseFailure, "bootId" | "check" | "message">;

const MAX_MESSAGE_CHARACTERS = 1900;
const LINES = 15;
const MAX_PSTORE_DEPTH = 3;
const PSTORE_TAIL_BYTES = 8192;
/** A panic that is older has been seen by earlier boots. */
const MAX_PANIC_AGE_MS: number = 24 * 60 * 60 * 1000;

const NO_TRACE =
  "it was tried until its tries were used up, and no boot of it left a trace: it ended before it could write to /var " +
  "(in the boot loader, in the initrd, by a panic, or by the watchdog). Its console says more.";

/** What the boots of a release that failed have left: a panic's record, or the end of the journal. */
export async function findLastWords(paths: Pick<NodePaths, "pstore">, runningRootHash: string): Promise<LastWords> {
  const panic = await findPanic(paths.pstore, Date.now());
  if (panic !== undefined) return { bootId: null, check: "panic", message: panic };
  const journal = await readPreviousBoot(runningRootHash).catch((error: unknown) => {
    console.error(`the journal of the boot before cannot be read: ${messageOf(error)}`);
    return undefined;
  });
  return journal ?? { bootId: null, check: "unknown", message: NO_TRACE };
}

/** The end of the newest dump of the kernel's log. systemd-pstore(8) keeps them in directories named by their time. */
async function findPanic(directories: readonly string[], nowMs: number): Promise<string | undefined> {
  let newest: { readonly path: string; readonly atMs: number } | undefined;
  for (const directory of directories) {
    for (const path of await findDumps(directory, MAX_PSTORE_DEPTH)) {
      const { mtimeMs } = await stat(path);
      if (nowMs - mtimeMs < MAX_PANIC_AGE_MS && mtimeMs > (newest?.atMs ?? 0)) newest = { path, atMs: mtimeMs };
    }
  }
  if (newest === undefined) return undefined;
  const text = (await readTail(newest.path, PSTORE_TAIL_BYTES)).toString("utf8");
  return lastLines(text);
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
  return parseJournal(await runForText("journalctl", [...boot, "--output=json", `--lines=${LINES}`]));
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
  const message = `no health check of it spoke; the last lines of its journal:\n${lastLines(lines.join("\n"))}`;
  return { bootId: bootId.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, "$1-$2-$3-$4-$5"), check: "unknown", message };
}

function lastLines(text: string): string {
  return text.trimEnd().split("\n").slice(-LINES).join("\n").slice(-MAX_MESSAGE_CHARACTERS);
}

/** What is not text comes as a list of bytes. */
function textOf(field: unknown): string {
  return typeof field === "string" ? field : "(not text)";
}
