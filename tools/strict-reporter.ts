import type { EventData } from "node:test";

/** What this reporter's last line begins with. */
export const COUNTS = "unit tests: ";

type TestEvent =
  | { readonly type: "test:pass"; readonly data: EventData.TestPass }
  | { readonly type: "test:summary"; readonly data: EventData.TestSummary };

/**
 * A reporter for `node --test`, beside another one: names skipped tests and makes the run fail with them, since set-up has
 * installed what tests compare us with. Ends with a line of counts.
 *
 * @public node:test loads it by its path
 */
// oxlint-disable-next-line import/no-default-export -- node:test takes a reporter from there
export default async function* reportStrictly(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type === "test:pass" && data.skip !== undefined && data.skip !== false) {
      process.exitCode = 1;
      yield `skipped: ${data.file ?? "?"}: ${data.name}${typeof data.skip === "string" ? ` (${data.skip})` : ""}\n`;
    }
    // Each file has a summary of its own; the one of the whole run names none.
    if (type === "test:summary" && data.file === undefined) {
      const { tests, passed, skipped } = data.counts;
      yield `${COUNTS}${passed} of ${tests} passed, ${skipped} skipped\n`;
    }
  }
}
