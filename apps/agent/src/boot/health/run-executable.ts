import { type ChildProcess, spawn } from "node:child_process";
import { open } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";

const KEPT_CHARACTERS = 1500;
/** What still holds the output open after its process group is gone does not concern us. */
const DRAIN_MS = 500;
const MAX_INTERPRETER_BYTES = 256;

/**
 * Runs a program until it ends or the signal comes, and then kills all of its process group: a check must leave nothing
 * behind.
 *
 * @throws AshlarError `failed` unless it ends with status 0; the message ends with the last lines that it printed
 */
export async function runExecutable(path: string, signal: AbortSignal): Promise<void> {
  const [program, ...args] = await commandFor(path);
  const child = spawn(program, args, { detached: true, stdio: ["ignore", "pipe", "pipe"], cwd: "/" });
  let output = "";
  const keep = (text: string): void => {
    output = (output + text).slice(-KEPT_CHARACTERS);
  };
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  const kill = (): void => killGroup(child);
  signal.addEventListener("abort", kill);
  try {
    const closed = Promise.withResolvers<void>();
    child.once("close", () => closed.resolve());
    const [status, endedBy] = await ended(child);
    kill();
    await Promise.race([closed.promise, setTimeout(DRAIN_MS)]);
    if (status === 0) return;
    const how = status === null ? `was ended by ${endedBy}` : `ended with status ${status}`;
    throw new AshlarError("failed", [`it ${how}`, output.trim()].filter(Boolean).join("\n"));
  } finally {
    signal.removeEventListener("abort", kill);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

async function ended(child: ChildProcess): Promise<readonly [status: number | null, signal: string | null]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly [number | null, string | null]>();
  child.once("error", reject);
  child.once("exit", (status, signal) => resolve([status, signal]));
  return await promise;
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing of it is left.
  }
}

/** /etc is mounted noexec, so that the kernel would refuse a script there: name its interpreter ourselves. */
async function commandFor(path: string): Promise<readonly [string, ...string[]]> {
  await using file = await open(path, "r");
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_INTERPRETER_BYTES), 0, MAX_INTERPRETER_BYTES, 0);
  const line = /^#![ \t]*(?<interpreter>\/\S+)(?:[ \t]+(?<argument>[^\n]*\S))?[ \t]*\n/u.exec(
    buffer.subarray(0, bytesRead).toString("latin1"),
  );
  const { interpreter, argument } = line?.groups ?? {};
  if (interpreter === undefined) return [path];
  return [interpreter, ...(argument === undefined ? [] : [argument]), path];
}
