import { readdir } from "node:fs/promises";
import { isMissing } from "@ashlar/host";
import { labsDirectory } from "./lab-paths.ts";

/** The names of all labs of this user, half-made ones too. */
export async function listLabs(): Promise<string[]> {
  try {
    const entries = await readdir(labsDirectory(), { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .toSorted();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
