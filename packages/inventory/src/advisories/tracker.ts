/** What Debian's security tracker publishes as JSON (security-tracker.debian.org/tracker/data/json): package, CVE, release. */
import { AshlarError, messageOf } from "@ashlar/base";
import { z } from "zod";
import { DEBIAN } from "../contents/packages.ts";
import type { Advisories, Advisory, Affected } from "./advisory.ts";

/** All of Debian is some 70 MB. */
export const MAX_TRACKER_CHARACTERS: number = 256 * 1024 * 1024;
const MAX_PACKAGES = 100_000;

const issue = z.object({
  releases: z.record(
    z.string().max(64),
    z.object({ status: z.string().max(64), fixed_version: z.string().max(256).optional() }),
  ),
});

/** Whether a document looks like the tracker's: source packages, each with issues by name. OSV records have an id. */
export function isTracker(value: unknown): value is Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  return (
    isRecord(value) && typeof value["id"] !== "string" && Object.values(value).slice(0, MAX_LOOKED_AT).every(isRecord)
  );
}

const MAX_LOOKED_AT = 100;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Reads the whole document; of it only what is about Debian's release that nodes are made of.
 *
 * @param place names the file in errors
 * @throws AshlarError `malformed`, `limit`
 */
export function readTracker(
  document: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  place: string,
): Advisories {
  const packages = Object.entries(document);
  if (packages.length > MAX_PACKAGES)
    throw new AshlarError("limit", `${place}: expected at most ${MAX_PACKAGES} packages, found ${packages.length}`);
  const affected = new Map<string, Affected[]>();
  let others = 0;
  for (const [name, issues] of packages) {
    for (const [id, value] of Object.entries(issues)) {
      const read = issue.safeParse(value);
      if (!read.success)
        throw new AshlarError(
          "malformed",
          `${place}: expected releases of ${id} of ${name}, found ${messageOf(read.error.issues[0])}`,
        );
      const state = read.data.releases[DEBIAN.codename];
      if (state === undefined) {
        others += 1;
        continue;
      }
      const list = affected.get(id) ?? [];
      list.push(affectedOf(name, state));
      affected.set(id, list);
    }
  }
  const advisories = [...affected].map(([id, all]): Advisory => ({
    id,
    aliases: [],
    source: "Debian security tracker",
    affected: all,
  }));
  return { advisories, others, withdrawn: 0 };
}

/** Fixed in version "0" means: never affected. "open" has no end, and "undetermined" no answer yet. */
function affectedOf(
  name: string,
  state: { readonly status: string; readonly fixed_version?: string | undefined },
): Affected {
  const common = { ecosystem: "debian", name, versions: [] } as const;
  const { status, fixed_version: fixed } = state;
  if (status === "open") return { ...common, ranges: [[FROM_THE_FIRST]] };
  if (status !== "resolved" || fixed === undefined) return { ...common, ranges: [], isUndetermined: true };
  return { ...common, ranges: fixed === "0" ? [] : [[FROM_THE_FIRST, { kind: "fixed", version: fixed }]] };
}

const FROM_THE_FIRST = { kind: "introduced", version: "0" } as const;
