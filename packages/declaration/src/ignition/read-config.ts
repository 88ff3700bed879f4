/** Ignition configs (specification 3.x) as far as they have to be read here: JSON, merged configs, inlined content. */
import { gunzipSync } from "node:zlib";
import { AshlarError, messageOf } from "@ashlar/base";

/** Ignition itself has no limit; a config that is passed through firmware has well under 1 MiB. */
const MAX_CONFIG_BYTES = 8 * 1024 * 1024;
const MAX_MERGE_DEPTH = 4;
const MAX_SHOWN_CHARACTERS = 120;

/** What may still be unpacked of one config: small ones can hold large ones, many times. */
export type Budget = { bytes: number };

export function newBudget(): Budget {
  return { bytes: 2 * MAX_CONFIG_BYTES };
}

/**
 * @param place names the config in errors
 * @throws AshlarError `malformed` when it is not JSON, `limit` when it is too large or merged too deep
 */
export function parseConfig(config: Uint8Array, place: string, mergeDepth: number): unknown {
  if (config.length > MAX_CONFIG_BYTES || mergeDepth > MAX_MERGE_DEPTH) {
    throw new AshlarError(
      "limit",
      `${place}: expected at most ${MAX_CONFIG_BYTES} bytes, merged at most ${MAX_MERGE_DEPTH} deep`,
    );
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(config));
  } catch (error) {
    throw new AshlarError("malformed", `${place}: expected Ignition JSON: ${messageOf(error)}`);
  }
}

export function isDataUrl(source: string): boolean {
  return /^data:/iu.test(source);
}

/** How a message gives a URL, which may hold megabytes. */
export function showSource(source: string): string {
  return source.slice(0, MAX_SHOWN_CHARACTERS);
}

/**
 * The content of a `data:` URL, unpacked when the resource says that it is packed.
 *
 * @throws AshlarError `malformed` when it is none, or `limit`
 */
export function readDataUrl(source: string, compression: unknown, place: string, budget: Budget): Uint8Array {
  const data = dataOf(source, place);
  const content = compression === "gzip" ? gunzip(data, place) : data;
  budget.bytes -= content.length;
  if (budget.bytes >= 0) return content;
  throw new AshlarError("limit", `${place}: expected less inlined content in the config and all that it merges`);
}

function gunzip(data: Uint8Array, place: string): Uint8Array {
  try {
    return gunzipSync(data, { maxOutputLength: MAX_CONFIG_BYTES });
  } catch (error) {
    const message = `${place}: expected gzip of at most ${MAX_CONFIG_BYTES} bytes`;
    throw new AshlarError("malformed", message, { cause: error });
  }
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
  throw new AshlarError("malformed", `${place}: expected a data: URL, found ${showSource(url)}`);
}

/**
 * A member of a JSON object. Go's JSON decoder, and so Ignition, takes its name in any case; of several the last counts.
 */
export function memberOf(value: unknown, name: string): unknown {
  return entriesOf(value).findLast(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
}

/** The members of an object, the items of a list, or nothing. */
export function entriesOf(value: unknown): (readonly [string, unknown])[] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}
