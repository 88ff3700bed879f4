import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "@ashlar/host";
import { reportLine } from "@ashlar/host/terminal";
import type { ExtensionKind } from "@ashlar/protocol";
import type { NodePaths } from "../../shared/node-paths.ts";

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
  paths: NodePaths,
  { kind, name, version, directory, protectedVersion }: CollectedImage,
  signal: AbortSignal,
): Promise<void> {
  const pattern = `${name}-@v-x86-64.raw`;
  const source = ["[Source]", "Type=regular-file", `Path=${directory}`, `MatchPattern=${pattern}`];
  const target = ["[Target]", "Type=regular-file", `MatchPattern=${pattern}`];
  const text = [...source, ...target].join("\n");
  const definitions = await writeDefinition(paths, { kind, name, text, protectedVersion });
  const onLine = (line: string): void => reportLine(`sysupdate: ${line}`);
  await run(paths.sysupdate, [`--definitions=${definitions}`, "update", version], { signal, onLine });
}

export type Definition = Pick<CollectedImage, "kind" | "name" | "protectedVersion"> & {
  /** Of a transfer file. Where the image goes, and what is kept, is decided here whatever it says. */
  readonly text: string;
};

/** Writes a definition for systemd-sysupdate, and gives its directory. There is one at a time. */
export async function writeDefinition(
  { extensions }: Pick<NodePaths, "extensions">,
  { kind, name, text, protectedVersion }: Definition,
): Promise<string> {
  const definitions = join(extensions.runtime, "sysupdate");
  await rm(definitions, { recursive: true, force: true });
  await mkdir(definitions, { recursive: true });
  await mkdir(extensions.links[kind], { recursive: true });
  await mkdir(join(extensions.store, name), { recursive: true });
  // Of a key that is repeated the last one counts; protected versions add up (systemd.syntax(7), sysupdate.d(5)).
  const lines = [
    text,
    "",
    "[Transfer]",
    ...(protectedVersion === undefined ? [] : [`ProtectVersion=${protectedVersion}`]),
    "[Target]",
    "PathRelativeTo=root",
    `Path=${join(extensions.store, name)}`,
    `CurrentSymlink=${join(extensions.links[kind], `${name}.raw`)}`,
    `InstancesMax=${INSTANCES}`,
  ];
  await writeFile(join(definitions, `${name}.transfer`), `${lines.join("\n")}\n`);
  return definitions;
}
