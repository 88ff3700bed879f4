import type { MarkedNode, NodeClassObject } from "@ashlar/kube";
import type { Fault } from "./facts.ts";

export type Selected =
  | { readonly kind: "none" }
  | { readonly kind: "class"; readonly class: NodeClassObject }
  | { readonly kind: "fault"; readonly fault: Fault };

/** The class that a node is of, by its labels. */
export function selectClass({ labels }: Pick<MarkedNode, "labels">, classes: readonly NodeClassObject[]): Selected {
  const found = classes.filter(({ spec }) => {
    const selector = Object.entries(spec?.selector ?? {});
    return selector.length > 0 && selector.every(([key, value]) => labels[key] === value);
  });
  const [only, ...others] = found;
  if (only === undefined) return { kind: "none" };
  if (others.length === 0) return { kind: "class", class: only };
  const names = found.map(({ name }) => name).toSorted();
  const message = `expected one NodeClass that selects it, found ${names.join(", ")}`;
  return { kind: "fault", fault: { reason: "SeveralClasses", message } };
}
