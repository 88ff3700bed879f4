/** A node's boot and that of an ordinary Debian system, phase by phase. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { run, withTemporaryDirectory } from "@ashlar/host";
import { buildImage } from "@ashlar/image";
import type { Accelerator } from "@ashlar/lab";
import type { BenchResult } from "./bench.ts";
import { bootUntil, type BootOptions } from "./boot-machine.ts";
import { makePeerImage } from "./boot-peer.ts";
import { phasesOf, printProfile, type Profile } from "./boot-phases.ts";
import { parseBootReport, REPORT_END, REPORT_UNIT, reportUnit } from "./boot-report.ts";
import { median } from "./evidence.ts";
import { untilStopped } from "./until-stopped.ts";

const CONTENTS = reportUnit(["multi-user.target", "ashlar-health.service"]);
const CONFIG = {
  ignition: { version: "3.3.0" },
  systemd: { units: [{ name: REPORT_UNIT, enabled: true, contents: CONTENTS }] },
};
/** What the firmware says then. systemd knows these times of real machines only: it needs to know the processor's clock. */
const LOADER_STARTS = /BdsDxe: starting /u;
const TIMEOUT_MS = 60 * 60_000;

/**
 * Boots a node and an ordinary Debian system of the same packages, `count` times each way of running machines, and prints
 * where the time of both goes. What the last way gives is the result.
 */
export async function compareBoots(
  chooseWays: (signal: AbortSignal) => Promise<readonly Accelerator[]>,
  count: number,
): Promise<BenchResult> {
  return await withTemporaryDirectory(
    async (directory) =>
      await untilStopped(async (signal) => {
        const step = { signal, onProgress: say };
        const ways = await chooseWays(signal);
        await buildImage({ version: "1.0.0", out: directory, ...step });
        const peer = await makePeerImage(step, [{ name: REPORT_UNIT, contents: CONTENTS }]);
        say(`the UKI has ${(await stat(join(directory, "uki.efi"))).size} bytes`);
        let result: BenchResult | undefined;
        for (const way of ways) result = await compare(directory, peer, way, count, signal);
        if (result === undefined) throw new TypeError("expected a comparison");
        return result;
      }),
  );
}

/** Both start from a fresh disk, with the same virtual machine, firmware and TPM; in turns. */
async function compare(
  image: string,
  peer: string,
  accelerator: Accelerator,
  count: number,
  signal: AbortSignal,
): Promise<BenchResult> {
  const own: Profile[] = [];
  const theirs: Profile[] = [];
  for (let round = 0; round < count; round++) {
    own.push(await profile(image, accelerator, true, signal));
    theirs.push(await profile(peer, accelerator, false, signal));
    say(`${accelerator}: round ${round + 1} of ${count}`);
  }
  const unit = accelerator === "tcg-counted" ? "seconds of 2 ns an instruction, one processor" : "seconds";
  for (const line of printProfile(`${accelerator}, ${unit}`, own, theirs)) console.error(line);
  const total = (profiles: readonly Profile[]): number =>
    median(profiles.map(({ report }) => (accelerator === "tcg-counted" ? report.busySeconds : report.endAt)));
  const [a, b] = [total(own), total(theirs)];
  const what =
    accelerator === "tcg-counted" ? "billion instructions from the kernel's start on" : "s from the kernel's start on";
  const scale = accelerator === "tcg-counted" ? 0.5 : 1;
  return {
    value: a / b,
    detail: `${(a * scale).toFixed(1)}, Debian ${(b * scale).toFixed(1)} ${what} (medians of ${count})`,
  };
}

async function profile(
  image: string,
  accelerator: Accelerator,
  isNode: boolean,
  signal: AbortSignal,
): Promise<Profile> {
  const options: BootOptions = {
    accelerator,
    // Processors that take turns would each count what the other does.
    ...(accelerator === "tcg-counted" ? { processors: 1 } : {}),
    classConfig: Buffer.from(JSON.stringify(CONFIG)),
    timeoutMs: TIMEOUT_MS,
  };
  let consoleText = "";
  const outside = new Map<string, number>();
  await bootUntil(
    image,
    signal,
    async (lab) => {
      const start = performance.now();
      const seconds = (): number => (performance.now() - start) / 1000;
      await lab.consoleSays(LOADER_STARTS);
      const loaderAt = seconds();
      consoleText = await lab.consoleSays(REPORT_END);
      // Not where the machine's clock is another one.
      if (accelerator === "tcg-counted") return;
      const kernelAt = seconds() - parseBootReport(consoleText).reportedAt;
      outside.set("firmware to loader", loaderAt);
      outside.set("loader to kernel", kernelAt - loaderAt);
      if (!isNode) return;
      await lab.up;
      const proving = seconds();
      await run(join(import.meta.dirname, "../../ashlar"), ["prove", "--lab", lab.name], { signal });
      outside.set("enrolment and proof", seconds() - proving);
    },
    options,
  );
  const report = parseBootReport(consoleText);
  return { report, phases: new Map([...outside, ...phasesOf(report)]) };
}

function say(message: string): void {
  console.error(`  ${message}`);
}
