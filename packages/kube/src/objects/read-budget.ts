import { membersOf } from "@ashlar/base";
import { z } from "zod";

/** What is taken out of a PodDisruptionBudget (policy/v1). */
export type Budget = { readonly name: string; readonly matches: (labels: Readonly<Record<string, string>>) => boolean };

const MAX_ENTRIES = 1000;

const budgetSchema = z.object({
  metadata: z.object({ name: z.string().max(253) }),
  spec: z.object({
    selector: z
      .object({
        matchLabels: z.record(z.string(), z.string()).nullish(),
        matchExpressions: z
          .array(
            z.object({
              key: z.string(),
              operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]),
              values: z.array(z.string()).max(MAX_ENTRIES).nullish(),
            }),
          )
          .max(MAX_ENTRIES)
          .nullish(),
      })
      .nullish(),
  }),
});

type Expression = {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[] | null | undefined;
};

/** Those of a list. One that cannot be read is left out: they only explain what the server has said already. */
export function readBudgets(list: unknown): readonly Budget[] {
  const { items } = membersOf(list);
  return (Array.isArray(items) ? items : []).flatMap((item: unknown) => {
    const found = budgetSchema.safeParse(item);
    if (!found.success) return [];
    const { selector } = found.data.spec;
    const matchLabels = Object.entries(selector?.matchLabels ?? {});
    const expressions = selector?.matchExpressions ?? [];
    // An empty selector takes all pods of the namespace, none at all takes none (policy/v1).
    const matches = (labels: Readonly<Record<string, string>>): boolean =>
      selector !== undefined &&
      selector !== null &&
      matchLabels.every(([key, value]) => labels[key] === value) &&
      expressions.every((expression) => holds(expression, labels));
    return [{ name: found.data.metadata.name, matches }];
  });
}

/** "Labels and Selectors", set-based requirements: a missing label is in no set. */
function holds({ key, operator, values }: Expression, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  if (operator === "Exists") return value !== undefined;
  if (operator === "DoesNotExist") return value === undefined;
  const isIn = value !== undefined && (values ?? []).includes(value);
  return operator === "In" ? isIn : !isIn;
}
