import { isDataUrl, memberOf, entriesOf, newBudget, parseConfig, readDataUrl, type Budget } from "./read-config.ts";

/** A file or link that a config makes, as far as it says. */
export type ConfigNode =
  | {
      readonly type: "file";
      /** Empty: nothing is said about the content. */
      readonly source: string;
      readonly compression: unknown;
      /** As in `verification.hash`; empty without one. */
      readonly hash: string;
      readonly isAppended: boolean;
    }
  | { readonly type: "link"; readonly target: string };

/**
 * The files and links of configs by their paths, as Ignition merges them: what comes later takes the place of what was
 * there at that path. Merged configs that come from elsewhere are passed over; see `findUnpinnedSources`.
 *
 * @param configs names with bytes; an absent part of a configuration has none
 * @throws AshlarError `malformed` or `limit`
 */
export function collectNodes(
  configs: readonly { readonly what: string; readonly config: Uint8Array }[],
  budget: Budget = newBudget(),
): Map<string, ConfigNode> {
  const nodes = new Map<string, ConfigNode>();
  for (const { what, config } of configs) if (config.length > 0) addConfig(config, what, 0, nodes, budget);
  return nodes;
}

function addConfig(
  config: Uint8Array,
  place: string,
  mergeDepth: number,
  nodes: Map<string, ConfigNode>,
  budget: Budget,
): void {
  const value = parseConfig(config, place, mergeDepth);
  const references = memberOf(memberOf(value, "ignition"), "config");
  const replacement = memberOf(references, "replace");
  const isReplaced = typeof memberOf(replacement, "source") === "string";
  const merged = isReplaced ? [replacement] : entriesOf(memberOf(references, "merge")).map(([, resource]) => resource);
  if (!isReplaced) addNodes(memberOf(value, "storage"), nodes);
  for (const resource of merged) {
    const source = memberOf(resource, "source");
    if (typeof source !== "string" || !isDataUrl(source)) continue;
    const bytes = readDataUrl(source, memberOf(resource, "compression"), `${place}.ignition.config`, budget);
    addConfig(bytes, `${place}.ignition.config`, mergeDepth + 1, nodes, budget);
  }
}

function addNodes(storage: unknown, nodes: Map<string, ConfigNode>): void {
  for (const [, file] of entriesOf(memberOf(storage, "files"))) {
    const path = textOf(file, "path");
    const contents = memberOf(file, "contents");
    const source = textOf(contents, "source");
    const isAppended = entriesOf(memberOf(file, "append")).length > 0;
    const earlier = nodes.get(path);
    // A file that says nothing about its content only changes the mode or owner of one that is there.
    if (source === "" && !isAppended && earlier?.type === "file") continue;
    const hash = textOf(memberOf(contents, "verification"), "hash");
    nodes.set(path, { type: "file", source, compression: memberOf(contents, "compression"), hash, isAppended });
  }
  for (const [, link] of entriesOf(memberOf(storage, "links"))) {
    nodes.set(textOf(link, "path"), { type: "link", target: textOf(link, "target") });
  }
}

function textOf(value: unknown, name: string): string {
  const member = memberOf(value, name);
  return typeof member === "string" ? member : "";
}
