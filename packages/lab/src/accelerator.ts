import { constants } from "node:fs";
import { access, copyFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "@ashlar/base";
import { cacheDirectory, run, throwIfInterrupted, withTemporaryDirectory, writeFileAtomically } from "@ashlar/host";
import { firmwareArguments, platformArguments, type Accelerator } from "./qemu-arguments.ts";
import { FIRMWARE_PATH, FIRMWARE_VARIABLES_PATH, QEMU } from "./tools.ts";

export type AcceleratorChoice = { readonly accelerator: Accelerator; readonly reason: string };

const PROBE_TIMEOUT_MS = 20_000;
const PROBE_ARGUMENTS: readonly string[] = ["-smp", "2", "-m", "256", "-serial", "stdio", "-no-reboot"];

/**
 * Chooses KVM where it really works. That /dev/kvm exists does not say so: some hosts' nested virtualisation ends every
 * guest with an emulation failure. So the firmware is booted once; what came out is remembered until the host reboots or
 * QEMU changes.
 */
export async function chooseAccelerator(qemuVersion: string, signal?: AbortSignal): Promise<AcceleratorChoice> {
  try {
    await access("/dev/kvm", constants.R_OK | constants.W_OK);
  } catch {
    return { accelerator: "tcg", reason: "/dev/kvm cannot be opened" };
  }
  const bootId = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  const cachePath = join(cacheDirectory(), `kvm-${qemuVersion}-${bootId}`);
  const cached = await readFile(cachePath, "utf8").catch(() => undefined);
  const answer = cached ?? (await probeKvm(signal));
  if (cached === undefined) {
    await mkdir(cacheDirectory(), { recursive: true });
    await writeFileAtomically(cachePath, answer);
  }
  return answer === KVM_WORKS ? { accelerator: "kvm", reason: answer } : { accelerator: "tcg", reason: answer };
}

const KVM_WORKS = "KVM boots the firmware";

/** What the firmware prints when it looks for something to boot: processor, memory, timers and devices work by then. */
const FIRMWARE_IS_UP = /BdsDxe/u;

async function probeKvm(signal: AbortSignal | undefined): Promise<string> {
  return await withTemporaryDirectory(async (directory) => {
    const variables = join(directory, "variables.fd");
    await copyFile(FIRMWARE_VARIABLES_PATH, variables);
    const seen = new AbortController();
    try {
      await run(
        QEMU,
        [...platformArguments("kvm"), ...firmwareArguments(FIRMWARE_PATH, variables), ...PROBE_ARGUMENTS],
        {
          onLine: (line) => {
            if (FIRMWARE_IS_UP.test(line)) seen.abort();
          },
          signal: signal === undefined ? seen.signal : AbortSignal.any([seen.signal, signal]),
          timeoutMs: PROBE_TIMEOUT_MS,
        },
      );
    } catch (error) {
      throwIfInterrupted(signal);
      if (!seen.signal.aborted) return `KVM does not work here: ${lastLine(messageOf(error))}`;
    }
    return seen.signal.aborted ? KVM_WORKS : "KVM does not work here: the firmware ended";
  });
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim().slice(-200) ?? "";
}
