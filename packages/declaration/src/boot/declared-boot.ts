/** What a class says about how its nodes start: `/etc/ashlar/boot.yaml` in its measured configuration. */
import { AshlarError, type Problem } from "@ashlar/base";
import { type DeclarationProblem, describeProblem } from "../declaration-problem.ts";
import { collectNodes } from "../ignition/collect-nodes.ts";
import { inlineText } from "../ignition/inline-text.ts";
import { newBudget } from "../ignition/read-config.ts";
import { readYaml } from "../yaml-document.ts";

export const BOOT_FILE = "/etc/ashlar/boot.yaml";

/** Whether a node is proven only with Secure Boot on, under the keys that its release names. */
export type BootPolicy = { readonly secureBoot: (typeof SECURE_BOOT_POLICIES)[number] };

const SECURE_BOOT_POLICIES = ["optional", "required"] as const;
const DEFAULTS: BootPolicy = { secureBoot: "optional" };
const LIMITS = { maxCharacters: 16_384, hint: "see the guide to Secure Boot" };

type Result = { readonly policy: BootPolicy; readonly problems: readonly DeclarationProblem[] };

/**
 * The boot policy that a node's configs declare. The class's counts over the node's own, as when Ignition merges them.
 *
 * @throws AshlarError `invalid` with the first problem's place, `malformed` or `limit`
 */
export function declaredBoot(classConfig: Uint8Array, nodeConfig: Uint8Array): BootPolicy {
  const { policy, problems } = resultOf([
    { what: "node config", config: nodeConfig },
    { what: "class config", config: classConfig },
  ]);
  const [first] = problems;
  if (first === undefined) return policy;
  throw new AshlarError("invalid", `boot policy in the configs: ${describeProblem(first)}`, { hint: LIMITS.hint });
}

/** @throws AshlarError `invalid`, `malformed` or `limit` */
export function findBootProblems(config: Uint8Array): readonly DeclarationProblem[] {
  return resultOf([{ what: "config", config }]).problems;
}

function resultOf(parts: Parameters<typeof collectNodes>[0]): Result {
  const budget = newBudget();
  const node = collectNodes(parts, budget).get(BOOT_FILE);
  return node === undefined ? { policy: DEFAULTS, problems: [] } : parseBootFile(inlineText(BOOT_FILE, node, budget));
}

/** Reads the text of a `boot.yaml`: `secureBoot: required`, or `optional`, which is the default. */
export function parseBootFile(text: string): Result {
  const { value = {}, report } = readYaml(text, LIMITS, (reader, root) =>
    root === null
      ? {}
      : reader.map<BootPolicy>(root, "$", {
          secureBoot: (node, path) => reader.choice(node, path, SECURE_BOOT_POLICIES),
        }),
  );
  return { policy: { ...DEFAULTS, ...value }, problems: report.map(inBootFile) };
}

function inBootFile(problem: Problem): DeclarationProblem {
  return { ...problem, file: BOOT_FILE };
}
