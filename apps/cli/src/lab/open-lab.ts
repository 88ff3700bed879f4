import type { Lab } from "@ashlar/lab";
import type { Named } from "./lab-options.ts";

/** Loads the package only when a command runs. */
export async function open({ name }: Named): Promise<Lab> {
  const { openLab } = await import("@ashlar/lab");
  return await openLab(name);
}
