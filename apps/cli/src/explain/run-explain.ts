import { reportLine, printJson } from "@ashlar/host/terminal";
import type { Difference, NamedVerdict } from "@ashlar/identity";
import type { ExplainedNode, Explanation } from "@ashlar/inventory";
import {
  readCertifiedNodes,
  readKnownNodes,
  sourcesOfOptions,
  type Firmware,
  type NodeSources,
} from "../inventory/known-nodes.ts";
import { readManifests } from "../inventory/read-manifests.ts";
import { printChanges, printExplanation } from "./print-explanation.ts";
import { readConfigs, type ConfigSources } from "./read-configs.ts";

export type ExplainOptions = Omit<NodeSources, "certificate"> &
  ConfigSources & { readonly certificate?: readonly string[]; readonly html?: string };

/** For its owner alone: what nodes run, and their names, are in it. */
const PAGE_MODE = 0o600;
const MEASURED = "signed for by TPMs";

const DIFFERENT = 1;
const NOT_KNOWN = 2;

/** @returns the exit status */
export async function runExplain({ certificate, ...options }: ExplainOptions): Promise<number> {
  const [first, second] = certificate ?? [];
  const configs = await readConfigs(options);
  if (first !== undefined && second !== undefined) return await explainCertificates(first, second, options, configs);
  const { explainNodes } = await import("@ashlar/inventory");
  const firmware = new Map<string, Firmware>();
  const onFirmware = (name: string, { 0: code, 2: drivers, 3: settings, 7: secureBoot }: Firmware): void => {
    firmware.set(name, { 0: code, 2: drivers, 3: settings, 7: secureBoot });
  };
  const from = first === undefined ? options : { ...options, certificate: first };
  const { nodes, manifests, fleet } = await readKnownNodes(from, onFirmware);
  const complaints = new Map(fleet?.nodes.map((verdict) => [verdict.name, complaintsOf(verdict)]));
  const explained = nodes.map((node): ExplainedNode => {
    const own = firmware.get(node.name);
    const said = { complaints: complaints.get(node.name) ?? [] };
    return Object.assign({}, node, said, own === undefined ? {} : { firmware: own });
  });
  const explanation = explainNodes(explained, { manifests, configs });
  const badge = first === undefined ? MEASURED : `by the certificate ${first}`;
  if (options.html !== undefined) {
    const { renderExplanation } = await import("./render-explanation.ts");
    await writePage(options.html, renderExplanation(explanation, badge));
  }
  if (options.json === true) printJson({ schema: "ashlar.explanation/v1", ...explanation });
  else printExplanation(explanation);
  return statusOf(explanation);
}

async function writePage(path: string, page: string): Promise<void> {
  const { writeFileAtomically } = await import("@ashlar/host");
  await writeFileAtomically(path, page, PAGE_MODE);
}

/** "PCR 13, class config: expected ..., found ..." */
function complaintsOf({ differences, nextBoot }: NamedVerdict): string[] {
  const textOf = ({ what, expected, found }: Difference): string => `${what}: expected ${expected}, found ${found}`;
  const next = nextBoot?.differences ?? [];
  return [...differences.map(textOf), ...next.map((each) => `next boot, ${textOf(each)}`)];
}

function statusOf({ groups, unknown }: Explanation): number {
  if (groups.length > 1) return DIFFERENT;
  const isProven = groups.length === 1 && groups.every(({ levels, nodes }) => levels.proven === nodes.length);
  return isProven && unknown.length === 0 ? 0 : NOT_KNOWN;
}

async function explainCertificates(
  before: string,
  after: string,
  options: Omit<ExplainOptions, "certificate">,
  configs: Awaited<ReturnType<typeof readConfigs>>,
): Promise<number> {
  const { AshlarError } = await import("@ashlar/base");
  const { key, lab, nodes: urls, fleet, from, kubernetes } = options;
  if ([lab, urls, from, kubernetes].some((source) => source !== undefined))
    throw new AshlarError("usage", "expected --certificate without --lab, --nodes, --kubernetes and --from");
  if (key === undefined) throw new AshlarError("usage", "expected --key with --certificate: whose word it is");
  if (fleet !== undefined) reportLine(`${fleet}: only its class configs are read`);
  const [old, now] = [await readCertifiedNodes(before, key, "also-expired"), await readCertifiedNodes(after, key)];
  const manifests = await readManifests([...old, ...now], await sourcesOfOptions(options));
  const { explainChanges } = await import("@ashlar/inventory");
  const changes = explainChanges(old, now, { manifests, configs });
  const [names, others] = [new Set(old.map(({ name }) => name)), new Set(now.map(({ name }) => name))];
  const joined = [...others].filter((name) => !names.has(name));
  const left = [...names].filter((name) => !others.has(name));
  const levels = new Map(old.map(({ name, level }) => [name, level]));
  const relevelled = now.flatMap(({ name, level }) => {
    const earlier = levels.get(name);
    return earlier === undefined || earlier === level ? [] : [{ name, from: earlier, to: level }];
  });
  const badge = `from certificate ${before} to ${after}`;
  const all = { changes, joined, left, levels: relevelled };
  if (options.html !== undefined) {
    const { renderChanges } = await import("./render-explanation.ts");
    await writePage(options.html, renderChanges(all, badge));
  }
  if (options.json === true) printJson({ schema: "ashlar.explained-changes/v1", ...all });
  else printChanges(all);
  return changes.length + joined.length + left.length + relevelled.length === 0 ? 0 : DIFFERENT;
}
