import { partsOf, type Manifests } from "../contents/contents.ts";
import type { KnownNode } from "../contents/known-node.ts";
import { answerOfLevel, answerQuestion, type Answer } from "./answer.ts";
import type { Question } from "./question.ts";

export type NodeAnswer = Answer & { readonly name: string };

/** One answer for each node. Nodes with one identity have one answer, which is found once. */
export function askNodes(question: Question, nodes: readonly KnownNode[], manifests: Manifests): NodeAnswer[] {
  const known = new Map<string, Answer>();
  return nodes.map(({ name, level, running }) => {
    const unproven = answerOfLevel(level);
    if (unproven !== undefined) return { name, ...unproven };
    const key = running.identity ?? name;
    const answer = known.get(key) ?? answerQuestion(question, partsOf(running, manifests));
    known.set(key, answer);
    return { name, ...answer };
  });
}
