import { withLock } from "@ashlar/host";
import type { LabPaths } from "./lab-paths.ts";

/** Commands that change a lab exclude each other; none waits, since a boot takes minutes. */
export async function withLab<T>(paths: LabPaths, command: string, work: () => Promise<T>): Promise<T> {
  return await withLock(paths.lock, { what: `the lab ${paths.name}`, holder: `ashlar lab ${command}` }, work);
}
