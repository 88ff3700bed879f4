import { LEVELS, type Level } from "@ashlar/identity";
import { z } from "zod";
import { conditions, releaseVersion, rules, timestamp, type Condition } from "./parts.ts";

/** One thing that is not as it has to be. */
export type ProofDifference = {
  readonly about: "running" | "next-boot";
  readonly code: string;
  readonly subject?: string;
  readonly what: string;
  readonly expected: string;
  readonly found: string;
};

export type ProvedExtension = {
  readonly kind: string;
  readonly name: string;
  readonly version?: string;
  readonly rootHash: string;
};

/** What was proved of one node. */
export type NodeProofStatus = {
  /** The name of the node's class. */
  readonly class?: string;
  readonly level?: Level;
  readonly release?: string;
  readonly identity?: string;
  readonly nextBoot?: { readonly level: Level; readonly release?: string };
  readonly extensions?: readonly ProvedExtension[];
  readonly differences?: readonly ProofDifference[];
  /** When it was last proven, as far as that was written down. */
  readonly lastProved?: string;
  /** Of the Node, when it was last asked and has answered: what was proved is about this boot. */
  readonly bootId?: string;
  /** Of the Node as which it was last proven. */
  readonly nodeUid?: string;
  /** What was learnt of its TPM at enrolment. The verifier's own schema reads it. */
  readonly pin?: Readonly<Record<string, unknown>>;
  readonly conditions?: readonly Condition[];
};

export const MAX_DIFFERENCES = 16;
export const MAX_PROVED_EXTENSIONS = 64;
export const MAX_TEXT_CHARACTERS = 1024;
const MAX_INTERMEDIATES = 8;
const MAX_CERTIFICATE_CHARACTERS = 16_384;
const MAX_FIRMWARE_DIGESTS = 64;

const PIN_STAYS = {
  rule: "!has(oldSelf.status) || !has(oldSelf.status.pin) || (has(self.status) && has(self.status.pin) && self.status.pin == oldSelf.status.pin)",
  message:
    "a pin does not change: who means to enrol the node anew, because its machine was replaced, deletes the NodeProof",
};

const level: z.ZodType<Level> = z.enum(LEVELS);
const text: z.ZodString = z.string().max(MAX_TEXT_CHARACTERS);
const digest: z.ZodString = z.string().regex(/^[0-9a-f]{64}([0-9a-f]{32})?$/u);
const digests: z.ZodType<readonly string[]> = z.array(digest).max(MAX_FIRMWARE_DIGESTS);
const measured = { "0": digest, "2": digest, "3": digest, "7": digest, programs: digests.exactOptional() };

/** As much of a pin as the API server can check. */
const pinSchema: z.ZodType<Readonly<Record<string, unknown>>> = z.object({
  ekSha256: digest.describe("Of the TPM's endorsement key"),
  akName: z
    .string()
    .regex(/^[0-9a-f]{68}$/u)
    .describe("Of its attestation key"),
  ekIntermediates: z.array(z.string().max(MAX_CERTIFICATE_CHARACTERS)).max(MAX_INTERMEDIATES).exactOptional(),
  enrolledAt: timestamp,
  resetCount: z.int().min(0).describe("The TPM's count of resets then"),
  machineId: z
    .string()
    .regex(/^[0-9a-f]{32}$/u)
    .exactOptional(),
  firmware: z
    .object({ ...measured, sha384: z.object(measured).exactOptional(), accepted: digests.exactOptional() })
    .describe("What the firmware has measured: the values of PCRs 0, 2, 3 and 7, and what it has started"),
});

const differenceSchema: z.ZodType<ProofDifference> = z.object({
  about: z.enum(["running", "next-boot"]),
  code: z.string().max(64).describe("One of docs/reference/differences.md"),
  subject: text.exactOptional(),
  what: text,
  expected: text,
  found: text,
});

const statusSchema: z.ZodType<NodeProofStatus> = z.object({
  class: z.string().max(253).exactOptional().describe("The NodeClass that it was held against"),
  level: level
    .exactOptional()
    .describe("Of what it runs. It says something only while the condition `Proven` is not Unknown"),
  release: releaseVersion.exactOptional().describe("What it runs, as far as the evidence proves it"),
  identity: digest
    .exactOptional()
    .describe("Digest of release, /usr, kernel image, extensions and class configuration"),
  nextBoot: z.object({ level, release: releaseVersion.exactOptional() }).exactOptional().describe("What it boots next"),
  extensions: z
    .array(
      z.object({
        kind: z.string().max(16),
        name: z.string().max(128),
        version: z.string().max(128).exactOptional(),
        rootHash: digest,
      }),
    )
    .max(MAX_PROVED_EXTENSIONS)
    .exactOptional()
    .describe("What is merged, as measured"),
  differences: z
    .array(differenceSchema)
    .max(MAX_DIFFERENCES)
    .exactOptional()
    .describe("What is not as declared, the most telling first"),
  lastProved: timestamp
    .exactOptional()
    .describe("When it was last proven: written at most once a minute, and before half of the freshness is over"),
  bootId: z
    .string()
    .max(64)
    .exactOptional()
    .describe("The Node's bootID then: a node that has restarted is asked anew"),
  nodeUid: z
    .string()
    .max(64)
    .exactOptional()
    .describe("The UID of the Node as which it was last proven: a Node that is made anew has to prove itself anew"),
  pin: pinSchema.exactOptional().describe("What was learnt of its TPM and firmware at enrolment"),
  conditions: conditions
    .exactOptional()
    .describe(
      "`Proven`: True, False, or Unknown when nothing is known or the proof is too old. `Answers`: whether its agent does. `Quarantined`: whether its Node has the taint of those that are not proven, where its class asks for that",
    ),
});

export const nodeProofSchema: z.ZodType<{ readonly status?: NodeProofStatus }> = z
  .object({ status: statusSchema.exactOptional() })
  .describe("What was proved of the Node of this name. The operator writes it; it stays when the Node goes.")
  .meta(rules(PIN_STAYS));
