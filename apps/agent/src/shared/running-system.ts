import { readFile } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import type { NodePaths } from "./node-paths.ts";

export type RunningSystem = {
  readonly version: string;
  /** Of /usr, in hexadecimal. */
  readonly rootHash: string;
  readonly bootId: string;
};

/** @throws AshlarError `not-found` when this is not an Ashlar node */
export async function readRunningSystem(
  paths: Pick<NodePaths, "osRelease" | "commandLine" | "bootId">,
): Promise<RunningSystem> {
  const [osRelease, commandLine, bootId] = await Promise.all(
    [paths.osRelease, paths.commandLine, paths.bootId].map(async (path) => await readFile(path, "utf8")),
  );
  const version = /^IMAGE_VERSION="?(?<version>[^"\n]*)"?$/mu.exec(osRelease ?? "")?.groups?.["version"];
  const rootHash = /(?:^|\s)usrhash=(?<hash>[0-9a-f]{64})(?:\s|$)/u.exec(commandLine ?? "")?.groups?.["hash"];
  if (version === undefined || rootHash === undefined) {
    const missing = version === undefined ? `IMAGE_VERSION in ${paths.osRelease}` : `usrhash= in ${paths.commandLine}`;
    throw new AshlarError("not-found", `expected ${missing}, found none`, {
      hint: "this command works on an Ashlar node only",
    });
  }
  return { version, rootHash, bootId: (bootId ?? "").trim() };
}
