import { AshlarError } from "@ashlar/base";
import type { DeclaredNode } from "@ashlar/verifier/declared";

/** How a command that is about one node is told which. */
export type NodeChoice = {
  readonly name: string | undefined;
  readonly lab?: string | undefined;
  readonly url?: string | undefined;
  readonly nodeConfigs?: string | undefined;
};

/** @throws AshlarError `usage` */
export function refuseNoNode({ name, lab, url, nodeConfigs }: NodeChoice, example: string): void {
  const isLab = lab !== undefined && name !== undefined && url === undefined;
  const isUrl = url !== undefined && name === undefined && lab === undefined;
  if (!isLab && !isUrl) {
    throw new AshlarError("usage", "expected either a node with --lab, or --url", { hint: `for example: ${example}` });
  }
  if (isLab && nodeConfigs !== undefined) throw new AshlarError("usage", "expected --node-configs only with --url");
}

/** @throws AshlarError `not-found` */
export function findNode(nodes: readonly DeclaredNode[], name: string | undefined): DeclaredNode {
  const node = name === undefined ? nodes[0] : nodes.find((each) => each.name === name);
  if (node !== undefined) return node;
  const known = nodes.map((each) => each.name).join(", ");
  throw new AshlarError("not-found", `expected one of ${known}, found ${name}`);
}
