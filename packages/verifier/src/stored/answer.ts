import type { ExtensionExpectations } from "@ashlar/identity";
import type { Evidence, NextBootAnswer } from "@ashlar/protocol/answers";
import type { Pin } from "../pin-store.ts";

/** What came back when a node was asked for its next boot: its answer, or why there is none and what that makes it. */
export type NextBootReply =
  | { readonly answer: NextBootAnswer }
  | { readonly level: "mismatch" | "unknown"; readonly found: string };

/** One node's answer with everything that is needed to judge it again, later and elsewhere. */
export type StoredAnswer = {
  readonly evidence: Evidence;
  readonly nonce: Uint8Array;
  /** The key of the TLS peer, SubjectPublicKeyInfo as DER. */
  readonly tlsPublicKey: Uint8Array;
  readonly challengedAtMs: number;
  readonly pin: Pin;
  /** What was declared for this node then. */
  readonly expected: {
    readonly classConfigSha256: string;
    readonly nodeConfigSha256: string;
    /** SHA-256 of the UKIs of the releases that were right, the declared one first. */
    readonly releases: readonly string[];
    readonly extensions: StoredExtensions;
  };
  /** The answer to the same challenge about the next boot. */
  readonly nextBoot: NextBootReply;
};

/** What was right about a node's extensions; what was known of published ones is the same for all nodes. */
export type StoredExtensions = Omit<ExtensionExpectations, "known">;

/** Reads a file of one node. @throws AshlarError `failed` when it cannot be read, another code when it is not what it has to be */
export type ReadFile = (file: string, maxBytes: number) => Uint8Array | undefined;
