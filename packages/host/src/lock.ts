import { constants } from "node:fs";
import { type FileHandle, mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { AshlarError } from "@ashlar/base";
import { findProcess, isRunning } from "./processes.ts";
import { run } from "./run.ts";

export type LockOptions = {
  /** What the lock protects, for whoever finds it taken: "the repository out/repo". */
  readonly what: string;
  /** What takes the lock: a few plain words, for example "ashlar lab up". */
  readonly holder: string;
  /** How long to wait for the lock. Default: not at all. */
  readonly waitMs?: number;
  /** Is told once what is waited for, in words, when that has taken a second. */
  readonly onWait?: ((message: string) => void) | undefined;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
};

/**
 * Does `work` while no other process, and nobody else in this one, has the lock of this file.
 *
 * The lock is flock(2)'s: it belongs to the open file, so the kernel frees it when its process ends in whatever way, and
 * it is never stale. The file stays, unless `work` removes it as its last act; nobody else may. Who may lock is who may write in the
 * file's directory: nobody else can open the file. A directory that is missing is made, for this user alone.
 *
 * @throws AshlarError `conflict` when the lock is still taken after `waitMs`: the message names the process that has it;
 * `untrusted` when what is at the path may be somebody else's; `interrupted`.
 */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await using file = await takeLock(path, options);
  await writeHolder(file, options.holder);
  return await work();
}

/** From when on somebody who waits wonders what for. */
const QUIET_MS = 1000;

async function takeLock(path: string, options: LockOptions): Promise<FileHandle> {
  const { what, waitMs = 0 } = options;
  const deadline = performance.now() + waitMs;
  for (;;) {
    const file = await openLockFile(path);
    try {
      if (!(await waitForLock(file, Math.max(0, deadline - performance.now()), options))) {
        throw new AshlarError("conflict", `${what} is in use by ${await readHolder(file)}`, {
          hint: "wait until it has finished",
        });
      }
      if (await isAt(path, file)) return file;
    } catch (error) {
      await file.close();
      throw error;
    }
    // Somebody has removed or replaced the file while we waited: who comes next would lock another one.
    await file.close();
  }
}

/** @returns whether it was given in time */
async function waitForLock(file: FileHandle, waitMs: number, { what, onWait, signal }: LockOptions): Promise<boolean> {
  const quietMs = Math.min(waitMs, QUIET_MS);
  if (await lock(file, quietMs, signal)) return true;
  if (waitMs === quietMs) return false;
  onWait?.(`waiting for ${what}: it is in use by ${await readHolder(file)}`);
  return await lock(file, waitMs - quietMs, signal);
}

/**
 * Node.js has no flock(2). What util-linux's flock does to a descriptor that it inherits, it does to the open file behind
 * it, which is ours, and stays locked when flock has ended.
 */
async function lock(file: FileHandle, waitMs: number, signal: AbortSignal | undefined): Promise<boolean> {
  const seconds = (waitMs / 1000).toFixed(3);
  const { status } = await run("flock", ["--exclusive", "--timeout", seconds, "3"], {
    acceptStatus: [0, LOCK_IS_TAKEN],
    descriptors: [file.fd],
    signal,
  });
  return status === 0;
}

const LOCK_IS_TAKEN = 1;

/** Without O_NONBLOCK a pipe or device that somebody has put here could hold us up. */
const FLAGS: number = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const NOT_A_FILE_OF_OURS: ReadonlySet<unknown> = new Set(["EACCES", "EPERM", "ELOOP", "EISDIR", "ENXIO"]);

async function openLockFile(path: string): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, FLAGS, 0o600);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    throw NOT_A_FILE_OF_OURS.has(code) ? notOurs(path, `found one that cannot be opened (${String(code)})`) : error;
  }
  try {
    await checkOwner(path, file);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** As many may open the file as may write in its directory. Root's file in a user's directory becomes the user's. */
async function checkOwner(path: string, file: FileHandle): Promise<void> {
  const [found, directory] = await Promise.all([file.stat(), stat(dirname(path))]);
  if (!found.isFile()) throw notOurs(path, "found something else");
  // Its lock would be the lock of something else, too.
  if (found.nlink > 1) throw notOurs(path, "found one that has other names (hard links)");
  const user = process.getuid?.();
  const isPublic = (directory.mode & 0o002) !== 0;
  if (found.uid !== user) {
    if (isPublic) throw notOurs(path, `found one of user ${found.uid}, in a directory in which everybody may write`);
    return;
  }
  await file.chmod(!isPublic && (directory.mode & 0o020) !== 0 ? 0o660 : 0o600);
  if (user === 0 && directory.uid !== 0 && !isPublic) await file.chown(directory.uid, directory.gid);
}

function notOurs(path: string, found: string): AshlarError {
  return new AshlarError("untrusted", `expected a lock file of this user at ${path}, ${found}`, {
    hint: `remove ${path} when nobody works there, or work in a directory that only this user can write to`,
  });
}

async function isAt(path: string, file: FileHandle): Promise<boolean> {
  const [found, own] = await Promise.all([stat(path).catch(() => undefined), file.stat()]);
  return found?.ino === own.ino && found.dev === own.dev;
}

async function writeHolder(file: FileHandle, holder: string): Promise<void> {
  const self = await findProcess(process.pid);
  await file.truncate(0);
  await file.write(`${process.pid} ${self?.startTicks} ${holder}\n`, 0);
}

const MAX_HOLDER_BYTES = 128;
const HOLDER = /^(?<pid>[0-9]{1,10}) (?<startTicks>[0-9]{1,15}) (?<words>[a-z][a-z0-9 -]{0,63})\n$/u;

/** What the file says counts only if it is what we write, of a process that runs. */
async function readHolder(file: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_HOLDER_BYTES), 0, MAX_HOLDER_BYTES, 0);
  const { pid, startTicks, words } = HOLDER.exec(buffer.toString("latin1", 0, bytesRead))?.groups ?? {};
  const isTrue = await isRunning({ pid: Number(pid), startTicks: Number(startTicks) });
  return isTrue ? `process ${pid} (${words})` : "another process";
}
