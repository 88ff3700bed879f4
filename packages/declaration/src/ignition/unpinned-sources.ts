import { parseImagePath } from "@ashlar/protocol";
import { isDataUrl, newBudget, parseConfig, readDataUrl, showSource, type Budget } from "./read-config.ts";

/**
 * Lists the places of an Ignition config (specification 3.x) that take content from elsewhere without
 * `verification.hash`, each as one phrase. Configs merged from `data:` URLs are looked into; a merged config that comes
 * from elsewhere is listed even with a hash, since what it takes in turn is unknown here. Extension images below
 * /opt/extensions are not listed: a node merges only signed ones, and measures the root hash that decides their content.
 *
 * @param what names the config in errors and begins each place
 * @throws AshlarError `malformed` when it is not JSON, or `limit` when it is too large or nested too deep
 */
export function findUnpinnedSources(config: Uint8Array, what: string): string[] {
  // An absent part of a configuration is measured as zero bytes.
  return config.length === 0 ? [] : searchConfig(config, what, 0, newBudget());
}

function searchConfig(config: Uint8Array, place: string, mergeDepth: number, budget: Budget): string[] {
  const sources: string[] = [];
  const value = parseConfig(config, place, mergeDepth);
  visit(value, place, { sources, mergeDepth, budget, isMerge: false, isImage: false });
  return sources;
}

type Search = {
  readonly sources: string[];
  readonly mergeDepth: number;
  readonly budget: Budget;
  /** The resource is a config. */
  readonly isMerge: boolean;
  /** The resource is the content of an extension image. */
  readonly isImage: boolean;
};

/** In every version of the specification a member `source` is the URL of a resource, whatever holds it. */
function visit(value: unknown, place: string, search: Search): void {
  if (typeof value !== "object" || value === null) return;
  const members = new Map<string, unknown>(Object.entries(value));
  const source = members.get("source");
  if (typeof source === "string" && source !== "") judgeSource(source, members, place, search);
  const isImageFile = isExtensionImage(members);
  for (const [name, member] of members) {
    const isMerge = name === "merge" || name === "replace" || (search.isMerge && Array.isArray(value));
    visit(member, `${place}.${name}`, { ...search, isMerge, isImage: isImageFile && name === "contents" });
  }
}

function isExtensionImage(file: ReadonlyMap<string, unknown>): boolean {
  const path = file.get("path");
  return typeof path === "string" && parseImagePath(path) !== undefined;
}

function judgeSource(
  source: string,
  resource: ReadonlyMap<string, unknown>,
  place: string,
  { sources, mergeDepth, budget, isMerge, isImage }: Search,
): void {
  if (!isDataUrl(source)) {
    const shown = showSource(source);
    if (isMerge) sources.push(`the merged config ${shown} at ${place}, whose own sources are unknown`);
    else if (!isImage && !hasHash(resource)) sources.push(`${shown} without verification.hash at ${place}`);
    return;
  }
  if (!isMerge) return;
  const merged = readDataUrl(source, resource.get("compression"), place, budget);
  sources.push(...searchConfig(merged, place, mergeDepth + 1, budget));
}

function hasHash(resource: ReadonlyMap<string, unknown>): boolean {
  const verification = resource.get("verification");
  if (typeof verification !== "object" || verification === null) return false;
  const hash = new Map<string, unknown>(Object.entries(verification)).get("hash");
  return typeof hash === "string" && /^sha(?:256-[0-9a-f]{64}|512-[0-9a-f]{128})$/u.test(hash);
}
