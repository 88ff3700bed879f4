/** For tests that compare us with programs of the host, in all packages. */
import { accessSync, constants } from "node:fs";
import { delimiter, resolve } from "node:path";

/**
 * The reason to skip a test that needs these programs (names, or paths), or false when all of them are there. A test that is
 * skipped fails `npm run check`: set-up installs what is needed.
 */
export function needs(...programs: readonly string[]): string | false {
  const missing = programs.filter((program) => !isInstalled(program));
  return missing.length > 0 && `not installed: ${missing.join(", ")}`;
}

function isInstalled(program: string): boolean {
  const directories = program.includes("/") ? [""] : (process.env["PATH"] ?? "").split(delimiter);
  return directories.some((directory) => isExecutable(resolve(directory, program)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
