import { listBootEntries } from "./boot-entries.ts";
import { findUnrecorded, readFailures, recordFailure } from "./failures.ts";
import { findLastWords } from "./last-words.ts";
import type { NodePaths } from "./node-paths.ts";
import { readRunningSystem } from "./running-system.ts";

/** Records the releases that this node has given up without a word: nothing rolls back in silence. */
export async function noteFallbacks(paths: NodePaths): Promise<void> {
  const running = await readRunningSystem(paths);
  const [entries, failures] = await Promise.all([listBootEntries(paths.esp), readFailures(paths.state)]);
  for (const { version, cause } of findUnrecorded(entries, running.version, failures)) {
    const at = new Date().toISOString();
    if (cause === "rolled-back") {
      const message = `an operator chose ${running.version} instead`;
      await recordFailure(paths.state, { version, bootId: null, at, check: "rollback", message });
      continue;
    }
    const words = await findLastWords(paths, running.rootHash);
    await recordFailure(paths.state, { version, at, ...words });
  }
}
