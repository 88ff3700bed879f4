import { AshlarError } from "@ashlar/base";
import { collectNodes, type ConfigNode } from "../ignition/collect-nodes.ts";
import { type DeclarationProblem, describeProblem } from "../declaration-problem.ts";
import { inlineText } from "../ignition/inline-text.ts";
import { isDataUrl, newBudget, type Budget } from "../ignition/read-config.ts";
import {
  declaredExtensions,
  EXTENSIONS_FILE,
  isTransferPath,
  type DeclarationResult,
  type DeclarationSources,
} from "./declaration.ts";
import type { DeclaredExtension } from "./declared-extension.ts";
import { MAX_EXTENSIONS, parseImagePath } from "@ashlar/protocol";

/**
 * The extensions that a node's configs declare: what the node finds in its files after Ignition has applied them.
 *
 * @throws AshlarError `invalid` with each problem's place, `malformed` or `limit`
 */
export function declaredInConfigs(classConfig: Uint8Array, nodeConfig: Uint8Array): readonly DeclaredExtension[] {
  // The initrd has Ignition merge the class's config over the node's own.
  const { declared, problems } = resultOf([
    { what: "node config", config: nodeConfig },
    { what: "class config", config: classConfig },
  ]);
  if (problems.length === 0) return declared;
  const shown = problems.slice(0, MAX_SHOWN_PROBLEMS).map(describeProblem);
  const more = problems.length > shown.length ? `; and ${problems.length - shown.length} more` : "";
  throw new AshlarError("invalid", `extensions in the configs: ${shown.join("; ")}${more}`, {
    hint: problems[0]?.hint ?? "see the guide to extensions",
  });
}

/**
 * What is wrong with the extensions that one config declares, without the other that a node has. Each problem's place is in
 * the file that the config makes.
 *
 * @throws AshlarError `invalid`, `malformed` or `limit`
 */
export function findExtensionProblems(config: Uint8Array): readonly DeclarationProblem[] {
  return resultOf([{ what: "config", config }]).problems;
}

function resultOf(parts: Parameters<typeof collectNodes>[0]): DeclarationResult {
  const budget = newBudget();
  return declaredExtensions(sourcesOf(collectNodes(parts, budget), budget));
}

const MAX_SHOWN_PROBLEMS = 5;
/** Of each extension there is one link and one transfer; others may be masked. */
const MAX_FILES: number = 4 * MAX_EXTENSIONS;
const LINK = /^\/etc\/extensions\/[^/]+$/u;

function sourcesOf(nodes: ReadonlyMap<string, ConfigNode>, budget: Budget): DeclarationSources {
  const links: DeclarationSources["links"][number][] = [];
  const files: DeclarationSources["files"][number][] = [];
  const transfers: DeclarationSources["transfers"][number][] = [];
  let extensionsFile: string | null = null;
  const count = [...nodes.keys()].filter((path) => LINK.test(path) || isTransferPath(path)).length;
  if (count > MAX_FILES) {
    throw new AshlarError("limit", `expected at most ${MAX_FILES} links and transfers in the configs, found ${count}`);
  }
  for (const [path, node] of nodes) {
    if (LINK.test(path)) links.push({ path, target: targetOf(path, node) });
    else if (isTransferPath(path)) transfers.push({ path, text: inlineText(path, node, budget) });
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

function originOf({ source, hash }: Extract<ConfigNode, { type: "file" }>): {
  readonly url: string | null;
  readonly hash: string | null;
} {
  const url = source === "" || isDataUrl(source) ? null : source;
  return { url, hash: hash === "" ? null : hash };
}
