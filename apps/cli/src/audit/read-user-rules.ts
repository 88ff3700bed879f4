import type { NoiseRule } from "@ashlar/audit";
import { readText } from "@ashlar/host";

/** @throws AshlarError when it is not there, or no such file */
export async function readUserRules(path: string): Promise<readonly NoiseRule[]> {
  const { parseRules } = await import("@ashlar/audit");
  return parseRules(await readText(path, "rules for what may differ"), path);
}
