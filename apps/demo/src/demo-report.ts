import type { FleetVerdict, NamedVerdict } from "@ashlar/identity";
import type { ActName } from "./act-names.ts";
import type { RequestCount } from "./cluster/service-client.ts";
import type { Outcome } from "./stage.ts";

export const REPORT_SCHEMA = "ashlar.demo/v3";

export type DemoReport = {
  readonly schema: typeof REPORT_SCHEMA;
  readonly release: {
    readonly version: string;
    readonly usrRootHash: string;
    readonly usrSizeBytes: number;
    readonly ukiSha256: string;
    readonly ukiSizeBytes: number;
    readonly pcrs: { readonly "4": string; readonly "11": string };
  };
  /** The verdict on both nodes before any act. */
  readonly proof: FleetVerdict;
  readonly acts: readonly ReportedAct[];
  readonly steps: readonly ReportedStep[];
  /** Each time that all nodes of the lab were proved, in order. */
  readonly verdicts: readonly ReportedVerdict[];
  /** With a cluster: what a client has seen that asked its workload all the time. */
  readonly requests: readonly ReportedRequests[];
  /** Both nodes were proven, and every act ended as it must. */
  readonly held: boolean;
};

export type ReportedAct = Outcome & { readonly act: ActName; readonly title: string };

export type ReportedRequests = RequestCount & { readonly act: ActName };

export type ReportedStep = {
  /** `build`: before there are nodes. */
  readonly act: ActName | "build";
  readonly title: string;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly seconds: number;
  /** Played while the steps after it were. */
  readonly beside?: true;
};

export type ReportedVerdict = {
  readonly at: string;
  readonly act: ActName;
  readonly nodes: readonly Pick<NamedVerdict, "name" | "level" | "release" | "identity" | "extensions">[];
};

/** How long all steps took together. */
export function secondsOf(steps: readonly ReportedStep[]): number {
  return steps.reduce((sum, { seconds, beside }) => sum + (beside === true ? 0 : seconds), 0);
}
