import { SHA256_HEX } from "@ashlar/base";
import { z } from "zod";
import { parseDocument } from "../parse-document.ts";
import { answerSchema, base64, MAX_TPM_STRUCTURE_BYTES } from "./evidence.ts";
import { NEXT_BOOT_SCHEMA } from "./qualifying-data.ts";
import { versionSchema } from "../manifests/manifest.ts";
import {
  messageSchema as message,
  nameSchema as name,
  nodeErrorSchema,
  progressSchema,
  timeSchema as time,
} from "./node-texts.ts";
import {
  MAX_ESP_FILES,
  MAX_NEXT_BOOT_BYTES,
  MAX_SLOTS,
  MAX_UPDATE_STATUS_BYTES,
  UPDATE_PHASES,
  UPDATE_STATUS_SCHEMA,
  type NextBootEvidence,
  type NextBootReport,
  type UpdateStatus,
} from "./update-api.ts";

const MAX_CHECKS = 64;
const MAX_FAILURES = 16;
const MAX_LOADER_VARIABLES = 16;
const MAX_LOADER_COPIES = 2;

const sizeBytes = z.int().nonnegative();
const digest = z.string().regex(SHA256_HEX, "expected 64 lower-case hexadecimal digits");
const uuid = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/u, "expected a UUID in lower case");

const statusSchema: z.ZodType<UpdateStatus> = z.strictObject({
  schema: z.literal(UPDATE_STATUS_SCHEMA),
  version: versionSchema,
  bootId: name,
  trial: z.boolean(),
  phase: z.enum(UPDATE_PHASES),
  target: versionSchema.nullable(),
  progress: progressSchema.nullable(),
  staged: versionSchema.nullable(),
  rebootNeeded: z.boolean(),
  // A node of an earlier version does not say it.
  minimumVersion: versionSchema.nullable().default(null),
  lastError: nodeErrorSchema.nullable(),
  health: z
    .strictObject({
      healthy: z.boolean(),
      checks: z
        .array(z.strictObject({ name, passed: z.boolean(), durationMs: z.number().nonnegative(), message }))
        .max(MAX_CHECKS),
    })
    .nullable(),
  // Nor this.
  bootLoader: z
    .strictObject({
      copies: z
        .array(z.strictObject({ path: name, sha256: digest.nullable(), release: versionSchema.nullable() }))
        .max(MAX_LOADER_COPIES),
      problem: nodeErrorSchema.nullable(),
    })
    .nullable()
    .default(null),
  ownStatePartition: z.boolean().default(false),
  failures: z
    .array(z.strictObject({ version: versionSchema, bootId: name.nullable(), at: time, check: name, message }))
    .max(MAX_FAILURES),
});

/** @throws AshlarError `limit` or `malformed` */
export function parseUpdateStatus(text: string): UpdateStatus {
  return parseDocument(text, statusSchema, "update status", MAX_UPDATE_STATUS_BYTES);
}

/** A node's answer with all base64 decoded. The report's text is kept: the quote is over its bytes. */
export type NextBootAnswer = {
  readonly reportText: string;
  /** TPMS_ATTEST. */
  readonly quoteMessage: Uint8Array;
  /** TPMT_SIGNATURE. */
  readonly quoteSignature: Uint8Array;
};

const nextBootSchema: z.ZodType<NextBootEvidence> = z.strictObject({
  schema: answerSchema(NEXT_BOOT_SCHEMA),
  report: z.string().max(MAX_NEXT_BOOT_BYTES),
  quote: z.strictObject({ message: base64(MAX_TPM_STRUCTURE_BYTES), signature: base64(MAX_TPM_STRUCTURE_BYTES) }),
});

/** @throws AshlarError `limit` or `malformed` */
export function parseNextBoot(text: string): NextBootAnswer {
  const { report, quote } = parseDocument(text, nextBootSchema, "next-boot evidence", MAX_NEXT_BOOT_BYTES);
  return {
    reportText: report,
    quoteMessage: Buffer.from(quote.message, "base64"),
    quoteSignature: Buffer.from(quote.signature, "base64"),
  };
}

const MAX_ESP_PATH_CHARACTERS = 1024;
const MAX_LOADER_CONFIG_CHARACTERS = 16_384;

const reportSchema: z.ZodType<NextBootReport> = z.strictObject({
  espFiles: z
    .array(
      z.strictObject({
        path: z
          .string()
          .max(MAX_ESP_PATH_CHARACTERS)
          .regex(/^[^\p{Cc}/]+(?:\/[^\p{Cc}/]+)*$/u, "expected a path from the ESP's root"),
        sizeBytes,
        sha256: digest,
      }),
    )
    .max(MAX_ESP_FILES)
    // FAT knows no case: two names that differ in nothing else are no two files.
    .refine(
      (files) => new Set(files.map(({ path }) => path.toLowerCase())).size === files.length,
      "expected each once",
    ),
  loaderConfig: z.string().max(MAX_LOADER_CONFIG_CHARACTERS),
  loaderVariables: z
    .record(z.string().regex(/^[0-9A-Za-z]{1,64}$/u), name)
    .refine((variables) => Object.keys(variables).length <= MAX_LOADER_VARIABLES, "expected fewer"),
  slots: z
    .array(
      z.strictObject({
        label: name,
        dataPartitionUuid: uuid,
        hashPartitionUuid: uuid,
        rootHash: digest.nullable(),
        badBlocks: sizeBytes.nullable(),
        readAt: time.nullable(),
      }),
    )
    .max(MAX_SLOTS),
});

/** @throws AshlarError `limit` or `malformed` */
export function parseNextBootReport(text: string): NextBootReport {
  return parseDocument(text, reportSchema, "next-boot report", MAX_NEXT_BOOT_BYTES);
}

/** JSON Schemas of what nodes answer about updates, by file name. */
export function updateJsonSchemas(): readonly (readonly [string, object])[] {
  const input = { io: "input" } as const;
  return [
    ["update-status-v1", { title: "What an agent answers to GET /v1/update", ...z.toJSONSchema(statusSchema, input) }],
    [
      "next-boot-v2",
      { title: "What an agent answers to POST /v1/next-boot, version 2", ...z.toJSONSchema(nextBootSchema, input) },
    ],
    [
      "next-boot-report-v1",
      { title: "The JSON text in an agent's answer to POST /v1/next-boot", ...z.toJSONSchema(reportSchema, input) },
    ],
  ];
}
