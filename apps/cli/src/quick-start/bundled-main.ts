/**
 * Where a bundle starts: runs what is in it if the sources are still the same, or else the sources. The one for help has
 * nothing that commands do: where they are to act after all, as in `ashlar lab ssh node-1 -- ls --help`, it hands over.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { HELP_BUNDLE } from "../program.ts";
import { runCommand, runHelp } from "../run-command.ts";
import { isUnchanged, type InputFile } from "./input-file.ts";

/** `bundle.ts` puts these in front of the bundle. */
declare const NAME: string;
declare const INPUTS: string;

void start(join(__dirname, "../../../.."), JSON.parse(INPUTS));

async function start(root: string, inputs: readonly InputFile[]): Promise<void> {
  const sources = join(root, "apps/cli/src/main.ts");
  if (!isUnchanged(root, inputs)) return void (await import(pathToFileURL(sources).href));
  if (NAME !== HELP_BUNDLE) return await runCommand();
  if (await runHelp()) return;
  const bundle = join(__dirname, `${process.argv[2]}.cjs`);
  await import(pathToFileURL(existsSync(bundle) ? bundle : sources).href);
}
