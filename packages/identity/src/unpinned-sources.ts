import { gunzipSync } from "node:zlib";
import { AshlarError, messageOf } from "@ashlar/base";

/**
 * Lists the places of an Ignition config (specification 3.x) that take content from elsewhere without
 * `verification.hash`, each as one phrase. Configs merged from `data:` URLs are looked into; a merged config that comes
 * from elsewhere is listed even with a hash, since what it takes in turn is unknown here.
 *
 * @param what names the config in errors and begins each place
 * @throws AshlarError `malformed` when it is not JSON, or `limit` when it is too large or nested too deep
 */
export function findUnpinnedSources(config: Uint8Array, what: string): string[] {
  // An absent part of a configuration is measured as zero bytes.
  return config.length === 0 ? [] : searchConfig(config, what, 0);
}

/** Ignition itself has no limit; a config that is passed through firmware has well under 1 MiB. */
const MAX_CONFIG_BYTES = 8 * 1024 * 1024;
const MAX_MERGE_DEPTH = 4;
const MAX_JSON_DEPTH = 64;

function searchConfig(config: Uint8Array, place: string, mergeDepth: number): string[] {
  if (config.length > MAX_CONFIG_BYTES || mergeDepth > MAX_MERGE_DEPTH) {
    throw new AshlarError(
      "limit",
      `${place}: expected at most ${MAX_CONFIG_BYTES} bytes, merged at most ${MAX_MERGE_DEPTH} deep`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(config));
  } catch (error) {
    throw new AshlarError("malformed", `${place}: expected Ignition JSON: ${messageOf(error)}`);
  }
  const sources: string[] = [];
  visit(value, place, false, { sources, mergeDepth, depth: 0 });
  return sources;
}

type Search = { readonly sources: string[]; readonly mergeDepth: number; readonly depth: number };

/** In every version of the specification a member `source` is the URL of a resource, whatever holds it. */
function visit(value: unknown, place: string, isMerge: boolean, search: Search): void {
  if (typeof value !== "object" || value === null) return;
  if (search.depth > MAX_JSON_DEPTH) {
    throw new AshlarError("limit", `${place}: expected JSON at most ${MAX_JSON_DEPTH} deep`);
  }
  const members = new Map<string, unknown>(Object.entries(value));
  // Go's JSON decoder, and so Ignition, takes a member's name in any case.
  for (const [name, source] of members) {
    if (name.toLowerCase() === "source" && typeof source === "string" && source !== "") {
      judgeSource(source, members, place, isMerge, search);
    }
  }
  for (const [name, member] of members) {
    const lower = name.toLowerCase();
    const inMerge = lower === "merge" || lower === "replace" || (isMerge && Array.isArray(value));
    visit(member, `${place}.${name}`, inMerge, { ...search, depth: search.depth + 1 });
  }
}

function judgeSource(
  source: string,
  resource: ReadonlyMap<string, unknown>,
  place: string,
  isMerge: boolean,
  { sources, mergeDepth }: Search,
): void {
  const shown = source.slice(0, MAX_SHOWN_CHARACTERS);
  if (!/^data:/iu.test(source)) {
    if (isMerge) sources.push(`the merged config ${shown} at ${place}, whose own sources are unknown`);
    else if (!hasHash(resource)) sources.push(`${shown} without verification.hash at ${place}`);
    return;
  }
  if (!isMerge) return;
  let merged = dataOf(source, place);
  if (resource.get("compression") === "gzip") {
    try {
      merged = gunzipSync(merged, { maxOutputLength: MAX_CONFIG_BYTES });
    } catch (error) {
      throw new AshlarError("malformed", `${place}: expected gzip of at most ${MAX_CONFIG_BYTES} bytes`, {
        cause: error,
      });
    }
  }
  sources.push(...searchConfig(merged, place, mergeDepth + 1));
}

const MAX_SHOWN_CHARACTERS = 120;

function hasHash(resource: ReadonlyMap<string, unknown>): boolean {
  const verification = resource.get("verification");
  if (typeof verification !== "object" || verification === null) return false;
  const hash = new Map<string, unknown>(Object.entries(verification)).get("hash");
  return typeof hash === "string" && /^sha(?:256-[0-9a-f]{64}|512-[0-9a-f]{128})$/u.test(hash);
}

/** RFC 2397: `data:[type][;base64],data`. */
function dataOf(url: string, place: string): Uint8Array {
  const comma = url.indexOf(",");
  const data = url.slice(comma + 1);
  try {
    if (comma !== -1 && url.slice(0, comma).endsWith(";base64")) {
      return Buffer.from(decodeURIComponent(data), "base64");
    }
    if (comma !== -1) return Buffer.from(decodeURIComponent(data), "utf8");
  } catch {
    // A stray percent sign: reported below.
  }
  throw new AshlarError("malformed", `${place}: expected a data: URL, found ${url.slice(0, MAX_SHOWN_CHARACTERS)}`);
}
