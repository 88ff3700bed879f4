import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { AshlarError } from "@ashlar/base";
import { readLimited, readOptional, writeFileAtomically } from "@ashlar/host";
import { arrange } from "../collected/arrange.ts";
import { readCollected } from "../collected/read-collected.ts";
import { SentPieces } from "../collected/sent-pieces.ts";
import { MAX_SNAPSHOT_BYTES } from "../snapshot/snapshot.ts";

export type CollectOptions = {
  /** The file that the snapshot is written to, when all of it is there. */
  readonly to: string;
  /** The file that the pieces are written to which the node has sent. */
  readonly pieces: string;
  /** Such a file from before: what is in it the node does not send again. */
  readonly sentBefore?: string | undefined;
  /** How long nothing at all may come. A busy machine is slow, and sends something all the same. */
  readonly patienceMs: number;
  readonly signal?: AbortSignal | undefined;
};

const MAX_STDERR_CHARACTERS = 2000;
/** For its owner alone: names of files and users are in it. */
const MODE = 0o600;

/** Why it failed, where the status says more than that. */
type Failure = (status: unknown, stderr: string) => AshlarError | undefined;

export type Received = { readonly bytes: number };

/**
 * Runs a program that gives the collector to a shell, and keeps what it writes. Returns how much has come.
 *
 * @throws AshlarError `failed` when it cannot run there, `unavailable` when nothing comes any more, `limit`, `interrupted`,
 *   `missing-tool`
 */
export async function collect(
  program: string,
  args: readonly string[],
  options: CollectOptions,
  failure?: Failure,
): Promise<Received> {
  const script = await readFile(new URL("collect.sh", import.meta.url));
  const sent = await readSent(options.sentBefore);
  const partial = `${options.to}.partial`;
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], detached: true });
  const end = (): void => endGroup(child.pid);
  options.signal?.addEventListener("abort", end);
  if (options.signal?.aborted === true) end();
  let isStuck = false;
  const watch = setTimeout(() => {
    isStuck = true;
    end();
  }, options.patienceMs);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-MAX_STDERR_CHARACTERS);
  });
  child.stdin.on("error", () => undefined);
  if (sent !== undefined) child.stdin.write(`known='${sent.digests.join(" ")}'\n`);
  child.stdin.end(script);
  try {
    const ended: Promise<unknown[]> = once(child, "close");
    // Whoever throws first is told of below.
    ended.catch(() => undefined);
    await pipeline(child.stdout, (chunks) => limited(chunks, watch), createWriteStream(partial, { mode: MODE }));
    const [status] = await ended.catch((error: unknown) => {
      throw isMissing(error) ? new AshlarError("missing-tool", `the program ${program} is not installed`) : error;
    });
    if (options.signal?.aborted === true) throw new AshlarError("interrupted", "collecting was interrupted");
    if (isStuck) throw new AshlarError("unavailable", `nothing came for ${options.patienceMs / 1000} s`);
    if (status !== 0) {
      const reason = stderr.trim() || `the collector ended with status ${String(status)}`;
      throw failure?.(status, stderr) ?? new AshlarError("failed", reason);
    }
    const bytes = await readLimited(partial, MAX_SNAPSHOT_BYTES);
    const collected = readCollected(bytes, sent);
    await writeFileAtomically(options.to, arrange(collected), MODE);
    await writeFileAtomically(options.pieces, SentPieces.write(collected.pieces), MODE);
    return { bytes: bytes.length };
  } finally {
    clearTimeout(watch);
    options.signal?.removeEventListener("abort", end);
    end();
    await rm(partial, { force: true });
  }
}

/** A file that is not there, or cannot be read, only costs bytes. */
async function readSent(path: string | undefined): Promise<SentPieces | undefined> {
  if (path === undefined) return undefined;
  const bytes = await readOptional(path, MAX_SNAPSHOT_BYTES).catch(() => undefined);
  return bytes === undefined ? undefined : SentPieces.read(bytes);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

async function* limited(chunks: AsyncIterable<Buffer>, watch: NodeJS.Timeout): AsyncGenerator<Buffer> {
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    watch.refresh();
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_SNAPSHOT_BYTES)
      throw new AshlarError("limit", `expected at most ${MAX_SNAPSHOT_BYTES} bytes, found more`);
    yield chunk;
  }
}

/** The shell, and the programs that it has started. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // They have ended.
  }
}
