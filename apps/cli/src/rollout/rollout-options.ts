import type { OutputForm } from "../proof/output-form.ts";

export type RolloutOptions = {
  readonly output?: OutputForm;
  readonly json?: true;
  readonly kubeconfig?: string;
  readonly context?: string;
};

export type StatusOptions = RolloutOptions & { readonly watch?: true };
export type ResumeOptions = RolloutOptions & { readonly retry?: true };
export type AbortOptions = RolloutOptions & { readonly wait: boolean };

export function formOf({ output, json }: RolloutOptions): OutputForm | undefined {
  return json === true ? "json" : output;
}
