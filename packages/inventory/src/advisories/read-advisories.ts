import { AshlarError, messageOf } from "@ashlar/base";
import type { Advisories, Advisory } from "./advisory.ts";
import { MAX_OSV_CHARACTERS, readOsv, type ReadOsv } from "./osv.ts";
import { isTracker, MAX_TRACKER_CHARACTERS, readTracker } from "./tracker.ts";

/**
 * Reads a file of advisories: one OSV record, a JSON array of them, or the JSON of Debian's security tracker.
 *
 * @param place names the file in errors
 * @throws AshlarError `limit`, `malformed`, `invalid`
 */
export function parseAdvisories(json: string, place: string): Advisories {
  if (json.length > MAX_TRACKER_CHARACTERS)
    throw new AshlarError(
      "limit",
      `${place}: expected at most ${MAX_TRACKER_CHARACTERS} characters, found ${json.length}`,
    );
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new AshlarError("malformed", `${place}: expected JSON, found ${messageOf(error)}`);
  }
  if (isTracker(value)) return readTracker(value, place);
  if (json.length > MAX_OSV_CHARACTERS)
    throw new AshlarError("limit", `${place}: expected at most ${MAX_OSV_CHARACTERS} characters, found ${json.length}`);
  const records: readonly unknown[] = Array.isArray(value) ? value : [value];
  return countOthers(records.map((each) => readOsv(each, place)));
}

/** Several files as one. An advisory that is in more than one counts as often. */
export function joinAdvisories(all: readonly Advisories[]): Advisories {
  return {
    advisories: all.flatMap((each) => each.advisories),
    others: all.reduce((sum, each) => sum + each.others, 0),
    withdrawn: all.reduce((sum, each) => sum + each.withdrawn, 0),
  };
}

function countOthers(read: readonly ReadOsv[]): Advisories {
  const advisories = read.filter((each): each is Advisory => typeof each !== "string");
  return {
    advisories,
    others: read.filter((each) => each === "other").length,
    withdrawn: read.filter((each) => each === "withdrawn").length,
  };
}
