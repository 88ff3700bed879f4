/** How a line of `kubectl ashlar` may go on, as kubectl asks for it. */
import type { Word } from "./case-tables.ts";
import type { CommandWords, ValueKind } from "./command-words.ts";

export type NextWords = {
  /** What is typed already of the last word. */
  readonly begun: string;
  readonly offers: { readonly words: readonly Word[] } | { readonly values: ValueKind };
  /** Which cluster the line names so far. */
  readonly cluster: { readonly kubeconfig?: string; readonly context?: string };
};

/** @param words what stands after the plugin's name; the last one, which may be empty, is being typed */
export function nextWords(commands: readonly CommandWords[], words: readonly string[]): NextWords {
  const begun = words.at(-1) ?? "";
  const given = new Map<string, string>();
  let at: CommandWords | undefined = commands[0];
  let before: CommandWords["options"][number] | undefined;
  let operands = 0;
  for (const word of words.slice(0, -1)) {
    if (before !== undefined) {
      given.set(before.names[0] ?? "", word);
      before = undefined;
      continue;
    }
    const path = [...(at?.path ?? []), word].join(" ");
    const below = commands.find((each) => each.path.join(" ") === path);
    const option = at?.options.find(({ names }) => names.includes(word));
    if (below !== undefined) at = below;
    else if (option?.value !== undefined) before = option;
    else if (option === undefined && !word.startsWith("-")) operands += 1;
  }
  const [kubeconfig, context] = [given.get("--kubeconfig"), given.get("--context")];
  const cluster = { ...(kubeconfig && { kubeconfig }), ...(context && { context }) };
  return { begun, cluster, offers: offersAt(at, before, operands, begun) };
}

function offersAt(
  at: CommandWords | undefined,
  before: CommandWords["options"][number] | undefined,
  operands: number,
  begun: string,
): NextWords["offers"] {
  if (before?.value !== undefined) return { values: before.value };
  if (at === undefined) return { words: [] };
  if (begun.startsWith("-"))
    return { words: at.options.map(({ names, description }) => ({ name: names[0] ?? "", description })) };
  if (at.subcommands.length > 0) return { words: at.subcommands };
  return { values: at.operands[Math.min(operands, at.operands.length - 1)] ?? "none" };
}

/** ShellCompDirective of Cobra, whose form kubectl takes: files as usual, nothing but what is offered, directories only. */
const FILES = ":0";
const NOTHING_ELSE = ":4";
const DIRECTORIES = ":16";

type NamesOfCluster = (kind: "nodeproof" | "rollout", cluster: NextWords["cluster"]) => Promise<readonly string[]>;

/** One offer a line, with its description after a tab; then what the shell is to do besides. */
export async function cobraLines(
  { begun, offers, cluster }: NextWords,
  namesOfCluster: NamesOfCluster,
): Promise<readonly string[]> {
  const fitting = (words: readonly Word[]): readonly string[] =>
    words
      .filter(({ name }) => name.startsWith(begun))
      .map(({ name, description }) => (description === "" ? name : `${name}\t${description}`));
  if ("words" in offers) return [...fitting(offers.words), NOTHING_ELSE];
  const { values } = offers;
  if (values === "file") return [FILES];
  if (values === "directory") return [DIRECTORIES];
  const isOfCluster = values === "nodeproof" || values === "rollout";
  const names = isOfCluster ? await namesOfCluster(values, cluster).catch(() => []) : values;
  const known = typeof names === "string" ? [] : names;
  return [...fitting(known.map((name) => ({ name, description: "" }))), NOTHING_ELSE];
}
