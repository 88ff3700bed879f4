import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EXIT_STATUS } from "@ashlar/base";
import { run, type RunResult } from "@ashlar/host";
import { type FleetVerdict, parseFleetVerdict } from "@ashlar/identity";

/** The root of the checkout; tests are started there. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));
/** What end-to-end tests leave behind. */
export const OUT: string = join(ROOT, "out/e2e");
/** The image that is built once and booted by all. */
export const IMAGE_DIRECTORY: string = join(OUT, "image");

/** Runs `./ashlar`, which must succeed; what it says is shown as it comes. */
export async function ashlar(...args: string[]): Promise<string> {
  const { stdout } = await run(join(ROOT, "ashlar"), args, { onLine: console.log });
  return stdout.toString("utf8");
}

/** Runs `./ashlar` and gives its output whatever its status is. */
export async function ashlarWithStatus(...args: string[]): Promise<RunResult> {
  return await run(join(ROOT, "ashlar"), args, { acceptStatus: [0, 1, 2, ...Object.values(EXIT_STATUS)] });
}

/** Runs `./ashlar prove ... --json`. */
export async function prove(...args: string[]): Promise<{ readonly status: number; readonly fleet: FleetVerdict }> {
  const { status, stdout, stderr } = await ashlarWithStatus("prove", ...args, "--json");
  const text = stdout.toString("utf8");
  if (text === "") throw new Error(`ashlar prove ${args.join(" ")} ended with status ${status}: ${stderr}`);
  return { status, fleet: parseFleetVerdict(text) };
}

/**
 * $1: the test's process; $2: `./ashlar`; then labs. A command of ours that changes a lab holds it, and takes down what it
 * has begun when it is told to end.
 */
const END_LABS = `
for child in $(pgrep --parent "$1"); do [ "$child" = $$ ] || kill -TERM "$child"; done
ashlar=$2
shift 2
for lab; do
    tries=0
    until "$ashlar" lab down --name "$lab" >/dev/null 2>&1 || [ $((tries += 1)) -ge 50 ]; do sleep 1; done
done`;

/** Removes labs when the test's process is told to end: node:test runs no `after` hook then. */
export function removeLabOnSignal(...names: string[]): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      const args = ["-c", END_LABS, "sh", String(process.pid), join(ROOT, "ashlar"), ...names];
      spawnSync("sh", args, { stdio: "ignore" });
      process.exit(130);
    });
  }
}
