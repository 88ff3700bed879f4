/** Records of OSV, the Open Source Vulnerability format (ossf.github.io/osv-schema), versions 1.x. */
import { AshlarError } from "@ashlar/base";
import { checkDocument } from "@ashlar/protocol/answers";
import { z } from "zod";
import { DEBIAN } from "../contents/packages.ts";
import type { Advisory, Affected, Ecosystem, VersionEvent } from "./advisory.ts";

/** The largest of Debian's are kernel advisories of some 100 kB. */
export const MAX_OSV_CHARACTERS: number = 16 * 1024 * 1024;

const text = z.string().max(1024);
const event = z.object({
  introduced: text.optional(),
  fixed: text.optional(),
  last_affected: text.optional(),
  limit: text.optional(),
});
const record = z.object({
  id: z.string().min(1).max(256),
  schema_version: text.optional(),
  withdrawn: text.optional(),
  aliases: z.array(text).max(10_000).optional(),
  upstream: z.array(text).max(10_000).optional(),
  affected: z
    .array(
      z.object({
        package: z.object({ ecosystem: text, name: text }).optional(),
        ranges: z
          .array(z.object({ type: text, events: z.array(event).max(10_000) }))
          .max(10_000)
          .optional(),
        versions: z.array(text).max(100_000).optional(),
      }),
    )
    .max(10_000)
    .optional(),
});

/** @returns "withdrawn", or "other" for one about none of the ecosystems that nodes' manifests list */
export type ReadOsv = Advisory | "withdrawn" | "other";

/**
 * Reads one record.
 *
 * @param place names the file in errors
 * @throws AshlarError `malformed`, `invalid` for an event of an unknown kind
 */
export function readOsv(value: unknown, place: string): ReadOsv {
  const { id, withdrawn, aliases = [], upstream = [], affected = [] } = checkDocument(value, record, place);
  if (withdrawn !== undefined) return "withdrawn";
  const known: Affected[] = [];
  for (const { package: named, ranges = [], versions = [] } of affected) {
    const ecosystem = named === undefined ? undefined : ecosystemOf(named.ecosystem);
    if (named === undefined || ecosystem === undefined) continue;
    const type = ecosystem === "go" ? "SEMVER" : "ECOSYSTEM";
    const ofType = ranges.filter((each) => each.type === type);
    known.push({
      ecosystem,
      name: named.name,
      ranges: ofType.map(({ events }) => eventsOf(events, `${place}: ${id}`)),
      versions,
    });
  }
  if (known.length === 0) return "other";
  return { id, aliases: [...new Set([...aliases, ...upstream])], source: "OSV", affected: known };
}

/** "Debian:13", or "Debian" for all releases of it. */
function ecosystemOf(name: string): Ecosystem | undefined {
  if (name === "Go") return "go";
  return name === "Debian" || name === `Debian:${DEBIAN.release}` ? "debian" : undefined;
}

/** Each event says one thing (OSV schema, "affected[].ranges[].events"). */
function eventsOf(events: readonly z.infer<typeof event>[], place: string): VersionEvent[] {
  return events.map(({ introduced, fixed, last_affected: lastAffected, limit }) => {
    if (introduced !== undefined) return { kind: "introduced", version: introduced };
    if (fixed !== undefined) return { kind: "fixed", version: fixed };
    if (lastAffected !== undefined) return { kind: "last-affected", version: lastAffected };
    if (limit !== undefined) return { kind: "limit", version: limit };
    throw new AshlarError(
      "invalid",
      `${place}: expected events with introduced, fixed, last_affected or limit, found another`,
    );
  });
}
