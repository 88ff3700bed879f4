/** Who gives an order. Only `guard-routes.ts` and the gate make one: by the socket that it came on, or by its signature. */
export type Caller =
  | { readonly kind: "local-root" }
  /** `key`: its pin, as `update.yaml` has it. */
  | { readonly kind: "operator"; readonly key: string };
