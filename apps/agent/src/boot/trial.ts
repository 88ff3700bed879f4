import { access } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readLoaderVariable } from "../shared/efi-variable.ts";
import type { NodePaths } from "../shared/node-paths.ts";

/**
 * Whether the running release is on trial: systemd-boot counted this boot (it names the entry, counter included, in
 * LoaderBootCountPath), and systemd-bless-boot has not yet taken the counter out of the entry's name. When the ESP is not
 * there, nobody can have done so.
 */
export async function isOnTrial(paths: Pick<NodePaths, "efiVariables" | "esp">): Promise<boolean> {
  const entry = await readLoaderVariable(paths.efiVariables, "LoaderBootCountPath");
  if (entry === undefined || entry === "") return false;
  const path = join(paths.esp, join("/", entry.replaceAll("\\", "/")));
  return (await exists(path)) || !(await exists(dirname(path)));
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
