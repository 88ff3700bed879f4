/** Ignition configs (specification 3.x) as far as they have to be read here: JSON, merged configs, inlined content. */
import { gunzipSync } from "node:zlib";
import { AshlarError, messageOf, withoutCredentials } from "@ashlar/base";
import { checkNames } from "./check-names.ts";

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
 * Reads a config as Ignition does. What Go's JSON decoder reads in another way than JavaScript's is refused.
 *
 * @param place names the config in errors
 * @throws AshlarError `malformed` when it is not JSON or has a member twice or in another case, `limit` when it is too
 * large or merged too deep
 */
export function parseConfig(
  config: Uint8Array,
  place: string,
  mergeDepth: number,
  maxBytes: number = MAX_CONFIG_BYTES,
): unknown {
  if (config.length > maxBytes || mergeDepth > MAX_MERGE_DEPTH) {
    throw new AshlarError(
      "limit",
      `${place}: expected at most ${maxBytes} bytes, merged at most ${MAX_MERGE_DEPTH} deep`,
    );
  }
  const text = textOf(config, place);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new AshlarError("malformed", `${place}: expected Ignition JSON: ${messageOf(error)}`);
  }
  checkNames(text, place);
  return value;
}

function textOf(config: Uint8Array, place: string): string {
  try {
    // A byte order mark is no JSON to Go.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(config);
  } catch (error) {
    throw new AshlarError("malformed", `${place}: expected UTF-8`, { cause: error });
  }
}

export function isDataUrl(source: string): boolean {
  return /^data:/iu.test(source);
}

/** How a message gives a URL, which may hold megabytes, and a password. */
export function showSource(source: string): string {
  return withoutCredentials(source).slice(0, MAX_SHOWN_CHARACTERS);
}

/**
 * The content of a `data:` URL, unpacked when the resource says that it is packed.
 *
 * @throws AshlarError `malformed` when it is none, or `limit`
 */
export function readDataUrl(source: string, compression: unknown, place: string, budget: Budget): Uint8Array {
  const data = dataOf(source, place);
  const content = compression === "gzip" ? gunzip(data, place, budget) : data;
  budget.bytes -= content.length;
  if (budget.bytes < 0) throw tooMuch(place);
  return content;
}

function gunzip(data: Uint8Array, place: string, budget: Budget): Uint8Array {
  try {
    return gunzipSync(data, { maxOutputLength: budget.bytes + 1 });
  } catch (error) {
    if (error instanceof RangeError) throw tooMuch(place);
    throw new AshlarError("malformed", `${place}: expected gzip`, { cause: error });
  }
}

function tooMuch(place: string): AshlarError {
  return new AshlarError("limit", `${place}: expected less inlined content in the config and all that it merges`);
}

/** RFC 2397: `data:[type][;base64],data`. A quoted parameter could have a comma in it, and there is no use for one. */
const DATA_URL = /^data:(?<type>[^,"]*?)(?<base64>;base64)?,/iu;
/** As Go's decoder takes it (RFC 4648, section 4), with padding. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/u;

function dataOf(url: string, place: string): Uint8Array {
  const [start, , base64] = DATA_URL.exec(url) ?? [];
  const data = start === undefined ? undefined : percentDecoded(url.slice(start.length));
  if (data !== undefined && base64 === undefined) return data;
  const text = data?.toString("latin1");
  if (text !== undefined && BASE64.test(text)) return Buffer.from(text, "base64");
  throw new AshlarError("malformed", `${place}: expected a data: URL, found ${showSource(url)}`);
}

/** Undefined with a stray percent sign. What is encoded need not be text. */
function percentDecoded(text: string): Buffer | undefined {
  if (/%(?![0-9A-Fa-f]{2})/u.test(text)) return undefined;
  const bytes = Buffer.from(text, "utf8").toString("latin1");
  const decode = (escape: string): string => String.fromCodePoint(Number.parseInt(escape.slice(1), 16));
  return Buffer.from(bytes.replaceAll(/%[0-9A-Fa-f]{2}/gu, decode), "latin1");
}

/** A member of a JSON object. `checkNames` has seen to it that no other stands for it. */
export function memberOf(value: unknown, name: string): unknown {
  return entriesOf(value).find(([key]) => key === name)?.[1];
}

/** The members of an object, the items of a list, or nothing. */
export function entriesOf(value: unknown): (readonly [string, unknown])[] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}
