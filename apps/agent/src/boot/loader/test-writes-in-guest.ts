/** Runs on a node's kernel, see test/faults/esp-power-cut.test.ts: what a node does to its ESP. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { updateLoader } from "./update-loader.ts";
import { nodePaths } from "../../shared/node-paths.ts";
import { renameBootEntries } from "../../slots/boot-entries.ts";

const paths = nodePaths("/");
mkdirSync(paths.runtime, { recursive: true });
writeFileSync(join(paths.runtime, "health.json"), JSON.stringify({ healthy: true, checks: [] }));
mkdirSync("/run/new", { recursive: true });
// As if it came from /usr.
writeFileSync("/run/new/loader.efi", readFileSync("/boot/new-loader"));
const outcome = await updateLoader({ ...paths, bootLoaders: ["/run/new/loader.efi"] });
if (outcome.kind !== "replaced") throw new Error(`expected it to be replaced, found ${outcome.kind}`);
await renameBootEntries(paths.esp, [{ from: "ashlar_1.1.0.efi", to: "ashlar_1.1.0+0-0.efi" }]);
