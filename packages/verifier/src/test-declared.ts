/** What the nodes of this package's tests were declared to be, and what their TPMs have measured then. */
import { expectationsOf, type Expectations } from "@ashlar/identity";
import { testLogs, testNextBootReport, testRelease } from "@ashlar/protocol/test-fixtures";
import type { NodeTarget } from "./prove-nodes.ts";

export const RELEASE: ReturnType<typeof testRelease> = testRelease("1.0.0");
export const NEXT: ReturnType<typeof testRelease> = testRelease("1.1.0");
export const NEXT_BOOT: ReturnType<typeof testNextBootReport> = testNextBootReport([
  [RELEASE, "ashlar_1.0.0.efi"],
  [NEXT, "ashlar_1.1.0+3-0.efi"],
]);
export const EXPECTATIONS: Expectations = expectationsOf({
  release: RELEASE,
  classConfig: Buffer.from("{}"),
  nodeConfig: Buffer.from("{}"),
});
export const LOGS: ReturnType<typeof testLogs> = testLogs(
  RELEASE,
  EXPECTATIONS.classConfigSha256,
  EXPECTATIONS.nodeConfigSha256,
);
export const target = (name: string, url: string): NodeTarget => ({ name, url, expectations: EXPECTATIONS });
