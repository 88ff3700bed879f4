/** One virtual machine, as a lab makes them, for as long as its boot is timed. */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { throwIfInterrupted } from "@ashlar/host";
import { labDown, labUp, openLab, type LabUpOptions } from "@ashlar/lab";

export type BootingLab = {
  readonly name: string;
  /** Resolves when the node's agent answers. */
  readonly up: Promise<unknown>;
  /** Gives all that the machine's console has said, once that matches. */
  readonly consoleSays: (pattern: RegExp) => Promise<string>;
};

const NAME = `bench-${process.pid}`;
export type BootOptions = Pick<LabUpOptions, "processors" | "timeoutMs"> & {
  readonly accelerator: NonNullable<LabUpOptions["accelerator"]>;
  readonly classConfig: Uint8Array;
};

const CLASS_CONFIG = Buffer.from(JSON.stringify({ ignition: { version: "3.3.0" } }));
const TIMEOUT_MS = 10 * 60_000;
const POLL_MS = 100;
const EMULATED: BootOptions = { accelerator: "tcg", classConfig: CLASS_CONFIG, timeoutMs: TIMEOUT_MS };

/** Gives the milliseconds from power-on until `end` resolves. Nothing of the machine is left then. */
export async function bootUntil(
  image: string,
  signal: AbortSignal,
  end: (lab: BootingLab) => Promise<void>,
  { classConfig, ...options }: BootOptions = EMULATED,
): Promise<number> {
  const over = new AbortController();
  const poweredOn = Promise.withResolvers<number>();
  const up = labUp({
    name: NAME,
    nodes: 1,
    image,
    ...options,
    config: { classConfig },
    signal: AbortSignal.any([signal, over.signal]),
    onProgress: (progress) => {
      if ("phase" in progress && progress.phase === "firmware") poweredOn.resolve(performance.now());
    },
  });
  // A machine that ends, or takes too long, ends every wait for it.
  const failure = new Promise<never>((_, reject) => void up.catch(reject));
  const consoleSays = async (pattern: RegExp): Promise<string> => {
    const path = (await openLab(NAME)).nodes[0]?.consolePath ?? "";
    for (;;) {
      const text = await readFile(path, "utf8");
      if (pattern.test(text)) return text;
      await sleep(POLL_MS, undefined, { signal: over.signal });
    }
  };
  try {
    const start = await Promise.race([poweredOn.promise, failure]);
    await Promise.race([end({ name: NAME, up, consoleSays }), failure]);
    return performance.now() - start;
  } catch (error) {
    // What was being waited for goes away with the lab, and says so first.
    throwIfInterrupted(signal);
    throw error;
  } finally {
    over.abort();
    await up.catch(() => undefined);
    await labDown(NAME);
  }
}
