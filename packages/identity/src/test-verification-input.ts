import { parseEkRoots } from "./check/ek-chain.ts";
import type { Expectations } from "./expected/expectations.ts";
import type { TestAuthority, TestNode } from "./test-node.ts";
import type { VerificationInput } from "./verify-evidence.ts";

/** For tests of the judge: what every node is asked. */
export const CHALLENGE: VerificationInput["challenge"] = {
  nonce: Buffer.alloc(32, 7),
  tlsPublicKey: Buffer.from("the agent's key"),
};

/** What judges at once the answer of a node that has booted. `nowMs`: not before its certificate was made. */
export function verificationInput(
  node: TestNode,
  expectations: Expectations,
  authority: TestAuthority,
  nowMs: number = Date.now(),
): VerificationInput {
  return {
    expectations,
    pin: node.pin,
    challenge: CHALLENGE,
    ekRoots: parseEkRoots(authority.roots),
    challengedAtMs: nowMs,
    nowMs,
    maxAgeMs: 60_000,
  };
}
