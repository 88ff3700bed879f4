import { AshlarError } from "@ashlar/base";
import { collectNodes, type ConfigNode } from "../ignition/collect-nodes.ts";
import { isDataUrl, newBudget, readDataUrl, showSource, type Budget } from "../ignition/read-config.ts";
import { declaredExtensions, EXTENSIONS_FILE, type DeclarationSources } from "./declaration.ts";
import type { DeclaredExtension } from "./declared-extension.ts";
import { MAX_EXTENSIONS, parseImagePath } from "@ashlar/protocol";

/**
 * The extensions that a node's configs declare: what the node finds in its files after Ignition has applied them.
 *
 * @throws AshlarError `invalid` with each problem's place, `malformed` or `limit`
 */
export function declaredInConfigs(classConfig: Uint8Array, nodeConfig: Uint8Array): readonly DeclaredExtension[] {
  const budget = newBudget();
  // The initrd has Ignition merge the class's config over the node's own.
  const parts = [
    { what: "node config", config: nodeConfig },
    { what: "class config", config: classConfig },
  ];
  const sources = sourcesOf(collectNodes(parts, budget), budget);
  const { declared, problems } = declaredExtensions(sources);
  if (problems.length === 0) return declared;
  const shown = problems.slice(0, MAX_SHOWN_PROBLEMS).map(({ file, ...problem }) => {
    const { position, path } = problem;
    const place = [file, position?.line, position?.column].filter((part) => part !== undefined).join(":");
    return `${place}: ${path === undefined ? "" : `${path}: `}${problem.message}`;
  });
  const more = problems.length > shown.length ? `; and ${problems.length - shown.length} more` : "";
  throw new AshlarError("invalid", `extensions in the configs: ${shown.join("; ")}${more}`, {
    hint: problems[0]?.hint ?? "see the guide to extensions",
  });
}

const MAX_SHOWN_PROBLEMS = 5;
/** Of each extension there is one link and one transfer; others may be masked. */
const MAX_FILES: number = 4 * MAX_EXTENSIONS;
const LINK = /^\/etc\/extensions\/[^/]+$/u;
const TRANSFER = /^\/etc\/sysupdate\.[^/]+\.d\/[^/]+\.transfer$/u;

function sourcesOf(nodes: ReadonlyMap<string, ConfigNode>, budget: Budget): DeclarationSources {
  const links: DeclarationSources["links"][number][] = [];
  const files: DeclarationSources["files"][number][] = [];
  const transfers: DeclarationSources["transfers"][number][] = [];
  let extensionsFile: string | null = null;
  const count = [...nodes.keys()].filter((path) => LINK.test(path) || TRANSFER.test(path)).length;
  if (count > MAX_FILES) {
    throw new AshlarError("limit", `expected at most ${MAX_FILES} links and transfers in the configs, found ${count}`);
  }
  for (const [path, node] of nodes) {
    if (LINK.test(path)) links.push({ path, target: targetOf(path, node) });
    else if (TRANSFER.test(path)) transfers.push({ path, text: inlineText(path, node, budget) });
    else if (path === EXTENSIONS_FILE) extensionsFile = inlineText(path, node, budget);
    else if (node.type === "file" && parseImagePath(path) !== undefined) files.push({ path, ...originOf(node) });
  }
  return { extensionsFile, links, files, transfers };
}

function targetOf(path: string, node: ConfigNode): string {
  if (node.type === "link") return node.target;
  throw new AshlarError("invalid", `expected a link at ${path}, found a file`, {
    hint: "put the image below /opt/extensions/NAME, where it persists, and link to it",
  });
}

/** What decides which extensions there are must be known to who proves them. */
function inlineText(path: string, node: ConfigNode, budget: Budget): string {
  if (node.type === "file" && !node.isAppended && (node.source === "" || isDataUrl(node.source))) {
    if (node.source === "") return "";
    return Buffer.from(readDataUrl(node.source, node.compression, path, budget)).toString("utf8");
  }
  const found = node.type === "link" ? `a link to ${node.target}` : showSource(node.source);
  throw new AshlarError("invalid", `expected the content of ${path} in the config itself, found ${found}`, {
    hint: "inline it: who proves the node has to read it",
  });
}

function originOf({ source, hash }: Extract<ConfigNode, { type: "file" }>): {
  readonly url: string | null;
  readonly hash: string | null;
} {
  const url = source === "" || isDataUrl(source) ? null : source;
  return { url, hash: hash === "" ? null : hash };
}
