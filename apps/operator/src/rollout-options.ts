import type { MarkedNode, OperatedCluster, SourceObject } from "@ashlar/kube";
import type { Pin } from "@ashlar/verifier";
import type { ClassPlan } from "./class-plan.ts";

export type RolloutsOptions = {
  readonly cluster: OperatedCluster;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
  /** Looks at everything again. */
  readonly wake: () => void;
  /** As it is watched now. */
  readonly node: (name: string) => MarkedNode | undefined;
  /** Of the API server, as far as it is known. */
  readonly serverVersion: () => string | undefined;
  readonly pins: () => ReadonlyMap<string, Pin>;
  /** Of the operator's namespace, as it is watched now. */
  readonly secret: (name: string) => SourceObject | undefined;
};

export type RunOptions = RolloutsOptions & {
  /** The releases that may be found on a node. */
  readonly right: (name: string, plan: ClassPlan) => ReadonlySet<string>;
};
