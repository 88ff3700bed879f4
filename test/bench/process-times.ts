import { AshlarError } from "@ashlar/base";
import { runForText } from "@ashlar/host";
import { median, timeOf } from "./butane.ts";

export type ProcessTimes = {
  readonly ms: number;
  /** User and system time, of what it has started, too: what it takes on a free core, however busy the machine is. */
  readonly processorMs: number;
};

/** Runs a command. Bash tells the processor time of what it has run, with that of whatever this has started. */
export async function timeProcess(command: readonly string[]): Promise<ProcessTimes> {
  let text = "";
  const ms = await timeOf(async () => {
    text = await runForText("bash", ["-c", '"$@" >/dev/null || exit; times', "bash", ...command]);
  });
  const seconds = [...(text.split("\n")[1] ?? "").matchAll(/(\d+)m([\d.]+)s/gu)].map(
    ([, minutes, rest]) => Number(minutes) * 60 + Number(rest),
  );
  if (seconds.length !== 2) throw new AshlarError("failed", `expected user and system time from bash, found ${text}`);
  return { ms, processorMs: 1000 * seconds.reduce((sum, each) => sum + each, 0) };
}

export function medianTimes(all: readonly ProcessTimes[]): ProcessTimes {
  return { ms: median(all.map(({ ms }) => ms)), processorMs: median(all.map(({ processorMs }) => processorMs)) };
}
