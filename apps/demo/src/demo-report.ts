import type { FleetVerdict } from "@ashlar/identity";
import type { Outcome } from "./stage.ts";

export type DemoReport = {
  readonly schema: "ashlar.demo/v1";
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
  readonly steps: readonly { readonly title: string; readonly seconds: number }[];
  /** Both nodes were proven, and every act ended as it must. */
  readonly held: boolean;
};

export type ReportedAct = Outcome & { readonly title: string };
