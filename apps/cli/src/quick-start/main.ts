/** `ashlar butane` and `ashlar ignition` from their sources. The launcher starts the next ones from the bundle. */
import { join } from "node:path";
import { writeBundle } from "./bundle.ts";
import { runConfigCommand } from "./run.ts";

await runConfigCommand();
try {
  await writeBundle(join(import.meta.dirname, "../../../.."));
} catch {
  // A command does not fail because the next one will not start faster.
}
