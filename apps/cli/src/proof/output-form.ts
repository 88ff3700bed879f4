/** As kubectl calls them. */
export const OUTPUT_FORMS = ["wide", "json", "yaml", "name"] as const;
export type OutputForm = (typeof OUTPUT_FORMS)[number];

export type ProofOptions = {
  readonly output?: OutputForm;
  readonly json?: true;
  readonly watch?: true;
  readonly kubeconfig?: string;
  readonly context?: string;
};
