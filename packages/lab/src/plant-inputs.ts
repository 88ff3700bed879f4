import { AshlarError } from "@ashlar/base";
import type { BootInput } from "./boot-inputs.ts";
import type { Lab } from "./lab.ts";

/** Before what the script of one input prints. */
const HEADING = "--- ";

/** Root writes inputs of the next boot on a running node, as docs/boot-inputs.yaml says. */
export async function plantInputs(lab: Lab, node: string, inputs: readonly BootInput[]): Promise<void> {
  const scripts = inputs.map(({ id, plant = "false" }) => `${subshell(`set -e\n${plant}`)} || echo "${HEADING}${id}"`);
  const { output } = await lab.root(node, `${scripts.join("\n")}\nsync`);
  if (output !== "")
    throw new AshlarError("unavailable", `${node}: expected everything to be planted, found: ${output}`);
}

/** What of these inputs is in effect on a node: a line for each thing, with the input's id. */
export async function findEffects(lab: Lab, node: string, inputs: readonly BootInput[]): Promise<string[]> {
  const scripts = inputs.map(({ id, effect = "" }) => `echo "${HEADING}${id}"\n${subshell(effect)}`);
  const { output } = await lab.root(node, scripts.join("\n"));
  const seen: string[] = [];
  const effects: string[] = [];
  for (const line of output.split("\n")) {
    if (line.startsWith(HEADING)) seen.push(line.slice(HEADING.length));
    else if (line !== "") effects.push(`${seen.at(-1)}: ${line}`);
  }
  if (seen.length !== inputs.length)
    throw new AshlarError("unavailable", `${node}: not every input was looked at: ${output}`);
  return effects;
}

function subshell(script: string): string {
  return `(\n${script}\n)`;
}
