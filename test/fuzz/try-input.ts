import { getHeapStatistics } from "node:v8";
import { AshlarError } from "@ashlar/base";

/** Limits for any one input. The time is this thread's own, so that a busy machine does not matter. */
const MAX_CPU_SECONDS = 1;
const MAX_GROWTH_BYTES = 64 * 1024 * 1024;

/** What one input did: the parser gave a value, gave an AshlarError, or did what no input may do. */
export type Outcome = "accepted" | "refused" | { readonly failure: string };

export function tryInput(parse: (bytes: Uint8Array) => unknown, input: Uint8Array): Outcome {
  const cpuBefore = process.threadCpuUsage();
  const bytesBefore = memoryBytes();
  let outcome: Outcome = "accepted";
  try {
    parse(input);
  } catch (error) {
    if (!(error instanceof AshlarError)) {
      return { failure: `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}` };
    }
    outcome = "refused";
  }
  const growthBytes = memoryBytes() - bytesBefore;
  if (growthBytes > MAX_GROWTH_BYTES) return { failure: `allocated ${growthBytes} bytes, limit ${MAX_GROWTH_BYTES}` };
  const { user, system } = process.threadCpuUsage(cpuBefore);
  const seconds = (user + system) / 1e6;
  if (seconds > MAX_CPU_SECONDS) return { failure: `took ${seconds} s, limit ${MAX_CPU_SECONDS} s` };
  return outcome;
}

function memoryBytes(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}
