/** `ashlar` from its sources. The launcher starts the next one from the bundle that is written here. */
import { join } from "node:path";
import { bundleNameOf } from "./program.ts";
import { writeBundle } from "./quick-start/bundle.ts";
import { runCommand } from "./run-command.ts";

await runCommand();
const name = bundleNameOf(process.argv.slice(2));
try {
  if (name !== undefined) await writeBundle(join(import.meta.dirname, "../../.."), name);
} catch {
  // A command does not fail because the next one will not start faster.
}
