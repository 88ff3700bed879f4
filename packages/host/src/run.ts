import { spawn } from "node:child_process";
import { AshlarError, withoutCredentials } from "@ashlar/base";

export type RunOptions = {
  readonly input?: Uint8Array | string;
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called with each complete line of standard error and, unless the output is wanted whole, of standard output. */
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** Exit statuses that are answers rather than failures. Default: only 0. */
  readonly acceptStatus?: readonly number[];
  readonly timeoutMs?: number;
  /** Open files that the program gets as its descriptors 3, 4 and so on. */
  readonly descriptors?: readonly number[];
};

export type RunResult = { readonly status: number; readonly stdout: Buffer; readonly stderr: string };

/** What a program may print before it is ended: a runaway program must not fill our memory. */
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
const STDERR_KEPT_CHARACTERS = 16_384;
/** How long an interrupted program may clean up. */
const ABORT_GRACE_MS = 10_000;

/**
 * Runs a program to its end, without a shell.
 *
 * @throws AshlarError `missing-tool` when the program is not installed, `failed` when its status is not accepted (the
 * message holds the end of its standard error), `interrupted` when the signal aborts it.
 */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, LC_ALL: "C.UTF-8", ...options.env },
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type knows three streams; ours are these three
    stdio: ["pipe", "pipe", "pipe", ...(options.descriptors ?? [])] as ["pipe", "pipe", "pipe"],
    signal: options.signal,
    timeout: options.timeoutMs,
  });
  const stdout: Buffer[] = [];
  let stdoutBytes = 0;
  let stderr = "";
  let partialLine = "";
  const onText = (text: string): void => {
    if (options.onLine === undefined) return;
    const lines = (partialLine + text).split("\n");
    partialLine = lines.pop() ?? "";
    for (const line of lines) options.onLine(line);
  };
  child.stdout.on("data", (chunk: Buffer) => {
    stdoutBytes += chunk.length;
    if (stdoutBytes > MAX_OUTPUT_BYTES) child.kill("SIGKILL");
    else stdout.push(chunk);
    onText(chunk.toString("utf8"));
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-STDERR_KEPT_CHARACTERS);
    onText(text);
  });
  child.on("error", (error: NodeJS.ErrnoException) => {
    if (error.name === "AbortError") {
      // It was told to end, and may have to clean up: mounts, for example. Its end is the end of the call.
      setTimeout(() => child.kill("SIGKILL"), ABORT_GRACE_MS).unref();
    } else if (error.code === "ENOENT") {
      reject(new AshlarError("missing-tool", `the program ${program} is not installed`));
    } else reject(error);
  });
  child.on("close", (code, signal) => {
    if (options.signal?.aborted === true) {
      reject(new AshlarError("interrupted", `${program} was interrupted`));
      return;
    }
    const status = code ?? 128;
    if (code !== null && (options.acceptStatus ?? [0]).includes(code)) {
      resolve({ status, stdout: Buffer.concat(stdout), stderr });
      return;
    }
    const how = code === null ? `was ended by ${signal}` : `ended with status ${code}`;
    const tail = withoutCredentials(stderr.trim() || Buffer.concat(stdout).toString("utf8").trim()).slice(-2000);
    reject(
      new AshlarError(
        "failed",
        `${withoutCredentials([program, ...args].join(" ")).slice(0, 300)} ${how}${tail === "" ? "" : `: ${tail}`}`,
      ),
    );
  });
  // A program that ends without reading its input closes the pipe: its exit status tells more than EPIPE does.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  return await promise;
}

/** Runs a program and gives its standard output as text, without the final newline. */
export async function runForText(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { stdout } = await run(program, args, options);
  return stdout.toString("utf8").replace(/\n$/u, "");
}
