import { listBootEntries } from "../slots/boot-entries.ts";
import { findUnrecorded, readFailures, recordFallback } from "./failures.ts";
import { findInitrdRecord } from "./initrd-records.ts";
import { findLastWords } from "./last-words.ts";
import type { NodePaths } from "../shared/node-paths.ts";
import { readRunningSystem } from "../shared/running-system.ts";
import { readScrubRecords } from "../slots/scrub-records.ts";

/** Records the releases that this node has given up without a word: nothing rolls back in silence. */
export async function noteFallbacks(paths: NodePaths): Promise<void> {
  const running = await readRunningSystem(paths);
  const [entries, failures, records] = await Promise.all([
    listBootEntries(paths.esp),
    readFailures(paths.state),
    readScrubRecords(paths),
  ]);
  for (const { version, cause } of findUnrecorded(entries, running.version, failures)) {
    const at = new Date().toISOString();
    if (cause === "rolled-back") {
      const message = `an operator chose ${running.version} instead`;
      await recordFallback(paths.state, { version, bootId: null, at, check: "rollback", message });
      continue;
    }
    const installed = records.find(({ label }) => label === `ashlar_${version}`);
    const sinceMs = installed === undefined ? 0 : Date.parse(installed.readAt);
    const words =
      (await findInitrdRecord(paths.state, running.rootHash, sinceMs)) ??
      (await findLastWords(paths, running.rootHash, sinceMs));
    await recordFallback(paths.state, { version, at, ...words });
  }
}
