import type { LockOptions } from "@ashlar/host";

/** Commands that change a lab exclude each other; none waits, since a boot takes minutes. */
export function lockOptions(command: string): LockOptions {
  return { holder: `\`ashlar lab ${command}\`, process ${process.pid}` };
}
