import { rm } from "node:fs/promises";
import { AshlarError, messageOf } from "@ashlar/base";
import type { DeclaredExtension } from "@ashlar/declaration";
import type { NodePaths } from "../../shared/node-paths.ts";
import { acceptImage, readNodeHost } from "../../extensions/accept-image.ts";
import { imagePath } from "../../extensions/store.ts";

/** An image that was fetched whole and will never be better. */
export class Unacceptable extends AshlarError {
  constructor(message: string, cause: unknown) {
    super("untrusted", message, { cause });
  }
}

/**
 * Makes sure that there is an acceptable image of a version in the store. One that is not acceptable is removed: who
 * installs takes a file of that name for the image.
 *
 * @throws AshlarError `Unacceptable`, or what `install` throws
 */
export async function bringImage(
  paths: NodePaths,
  { kind, name }: Pick<DeclaredExtension, "kind" | "name">,
  version: string,
  install: () => Promise<void>,
): Promise<void> {
  const path = imagePath(paths.extensions, name, version);
  const host = readNodeHost(paths.extensions);
  try {
    acceptImage(path, { kind, name, version }, host);
    return;
  } catch {
    // It is not there yet, or was damaged since it came.
  }
  await rm(path, { force: true });
  await install();
  try {
    acceptImage(path, { kind, name, version }, host);
  } catch (error) {
    await rm(path, { force: true });
    throw new Unacceptable(`${name} ${version} is not acceptable: ${messageOf(error)}`, error);
  }
}
