import { AshlarError } from "@ashlar/base";
import type { Place } from "../document/origins.ts";
import { normalPath } from "../local/local-files.ts";
import type { Context } from "./context.ts";

/** The bytes of a local file; nothing, and an error in the report, if it cannot be had. */
export function readLocal(context: Context, path: string, place: Place): Uint8Array | undefined {
  return withLocal(context, path, place, (files, normal) => {
    const bytes = files.read(normal);
    warnOutside(context, normal, place);
    return bytes;
  });
}

/** What is read over a link that leads out of the directory may be another file elsewhere. */
export function warnOutside({ files, findings }: Context, path: string, place: Place): void {
  if (files?.leadsOut?.(path) !== true) return;
  const message = `expected a file inside the files directory, found a link that leads out of it: ${path}`;
  findings.warning(place, message, "it was followed; copy the file into the directory");
}

/** Runs `use` with the normal form of a local path; what it throws as expected failures goes into the report. */
export function withLocal<Result>(
  context: Context,
  path: string,
  place: Place,
  use: (files: NonNullable<Context["files"]>, path: string) => Result,
): Result | undefined {
  const { files, findings } = context;
  if (files === undefined) {
    findings.error(place, "expected a directory of local files, found none", "name it with --files-dir");
    return undefined;
  }
  const normal = normalPath(path);
  if (normal === undefined) {
    findings.error(
      place,
      `expected a path inside the files directory, found ${path}`,
      "paths are relative to --files-dir",
    );
    return undefined;
  }
  try {
    return use(files, normal);
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    findings.error(place, error.message, error.hint);
    return undefined;
  }
}
