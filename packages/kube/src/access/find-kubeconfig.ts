import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { AshlarError } from "@ashlar/base";
import { readOptional } from "@ashlar/host";
import type { KubeconfigFile } from "./kubeconfig.ts";

/** A kubeconfig holds certificates and keys of some kilobytes for each cluster. */
const MAX_KUBECONFIG_BYTES = 4 * 1024 * 1024;
const MAX_FILES = 64;

/**
 * The kubeconfig that is meant: the named one; else all that KUBECONFIG names and that are there; else the one in the
 * user's home.
 *
 * @throws AshlarError `not-found` when there is none, and what `readOptional` throws
 */
export async function findKubeconfig(
  named: string | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<readonly KubeconfigFile[]> {
  const listed = (environment["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
  const usual = join(environment["HOME"] ?? homedir(), ".kube", "config");
  const paths = named === undefined ? (listed.length > 0 ? listed.slice(0, MAX_FILES) : [usual]) : [named];
  const files: KubeconfigFile[] = [];
  for (const path of paths) {
    const bytes = await readOptional(path, MAX_KUBECONFIG_BYTES, { links: "follow" });
    if (bytes !== undefined) files.push({ path: resolve(path), text: bytes.toString("utf8") });
  }
  if (files.length > 0) return files;
  throw new AshlarError("not-found", `expected a kubeconfig at ${paths.join(", ")}, found none`, {
    hint: "name it with --kubeconfig or KUBECONFIG; a lab's cluster needs none: --lab NAME",
  });
}
