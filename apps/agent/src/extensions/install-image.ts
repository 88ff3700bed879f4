import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "@ashlar/host";
import type { ExtensionKind } from "@ashlar/identity/extensions";
import type { NodePaths } from "../node-paths.ts";

/** Versions that are kept of an extension, the merged one included. */
const INSTANCES = 3;

/** An image that was collected in a directory of its own. */
export type CollectedImage = {
  readonly kind: ExtensionKind;
  readonly name: string;
  readonly version: string;
  readonly directory: string;
  /** What is merged: not to be removed. */
  readonly protectedVersion: string | undefined;
};

/**
 * Has systemd-sysupdate put a collected image into the store, move the link to it, and remove the oldest versions: as the
 * talk's transfer file does, but from our own directory.
 */
export async function installImage(
  { extensions, sysupdate }: NodePaths,
  { kind, name, version, directory, protectedVersion }: CollectedImage,
  signal: AbortSignal,
): Promise<void> {
  const definitions = join(extensions.runtime, "sysupdate");
  await rm(definitions, { recursive: true, force: true });
  await mkdir(definitions, { recursive: true });
  await mkdir(extensions.links[kind], { recursive: true });
  await mkdir(join(extensions.store, name), { recursive: true });
  const pattern = `${name}-@v-x86-64.raw`;
  const lines = [
    "[Transfer]",
    ...(protectedVersion === undefined ? [] : [`ProtectVersion=${protectedVersion}`]),
    "[Source]",
    "Type=regular-file",
    `Path=${directory}`,
    `MatchPattern=${pattern}`,
    "[Target]",
    "Type=regular-file",
    `Path=${join(extensions.store, name)}`,
    `MatchPattern=${pattern}`,
    `CurrentSymlink=${join(extensions.links[kind], `${name}.raw`)}`,
    `InstancesMax=${INSTANCES}`,
  ];
  await writeFile(join(definitions, `${name}.transfer`), `${lines.join("\n")}\n`);
  const onLine = (line: string): void => console.error(`sysupdate: ${line}`);
  await run(sysupdate, [`--definitions=${definitions}`, "update", version], { signal, onLine });
}
