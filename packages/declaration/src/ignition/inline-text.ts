import { AshlarError } from "@ashlar/base";
import type { ConfigNode } from "./collect-nodes.ts";
import { isDataUrl, readDataUrl, showSource, type Budget } from "./read-config.ts";

/**
 * The text of a file that a config makes: what decides how a node is judged must be known to who proves it.
 *
 * @throws AshlarError `invalid` when the config does not have it itself, `malformed` or `limit`
 */
export function inlineText(path: string, node: ConfigNode, budget: Budget): string {
  if (node.type === "file" && !node.isAppended && (node.source === "" || isDataUrl(node.source))) {
    if (node.source === "") return "";
    return Buffer.from(readDataUrl(node.source, node.compression, path, budget)).toString("utf8");
  }
  const found = node.type === "link" ? `a link to ${node.target}` : showSource(node.source);
  throw new AshlarError("invalid", `expected the content of ${path} in the config itself, found ${found}`, {
    hint: "inline it: who proves the node has to read it",
  });
}
