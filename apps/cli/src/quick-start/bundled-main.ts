/** Where the bundle starts: runs what is in it if the sources are still the same, or else the sources. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isUnchanged, type InputFile } from "./input-file.ts";
import { runConfigCommand } from "./run.ts";

/** `bundle.ts` puts it in front of the bundle. */
declare const INPUTS: readonly InputFile[];

const root = join(__dirname, "../../..");
if (isUnchanged(root, INPUTS)) void runConfigCommand();
else void import(pathToFileURL(join(root, "apps/cli/src/quick-start/main.ts")).href);
