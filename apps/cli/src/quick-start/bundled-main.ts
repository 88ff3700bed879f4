/** Where a bundle starts: runs what is in it if the sources are still the same, or else the sources. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runCommand } from "../run-command.ts";
import { isUnchanged, type InputFile } from "./input-file.ts";

/** `bundle.ts` puts it in front of the bundle. */
declare const INPUTS: string;

const root = join(__dirname, "../../../..");
const inputs: readonly InputFile[] = JSON.parse(INPUTS);
if (isUnchanged(root, inputs)) void runCommand();
else void import(pathToFileURL(join(root, "apps/cli/src/main.ts")).href);
