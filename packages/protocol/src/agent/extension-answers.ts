import { z } from "zod";
import { digestSchema } from "../manifests/manifest.ts";
import { messageSchema, nameSchema, nodeErrorSchema, progressSchema, timeSchema } from "./node-texts.ts";
import { parseDocument } from "../parse-document.ts";
import {
  EXTENSION_PHASES,
  EXTENSIONS_STATUS_SCHEMA,
  MAX_EXTENSIONS,
  MAX_EXTENSIONS_STATUS_BYTES,
  type ExtensionsStatus,
} from "./extension-api.ts";
import { EXTENSION_KINDS, EXTENSION_VERSION_PATTERN } from "../manifests/extension-manifest.ts";
import { EXTENSION_NAME_PATTERN } from "../words/extension-words.ts";

const MAX_FAILURES = 16;
/** Whatever lies about in the directories where a node looks. */
const MAX_SET_ASIDE = 256;

const name = z.string().regex(EXTENSION_NAME_PATTERN, "expected an extension's name");
const version = z.string().regex(EXTENSION_VERSION_PATTERN, "expected a version such as v1.33.2");

const statusSchema: z.ZodType<ExtensionsStatus> = z.strictObject({
  schema: z.literal(EXTENSIONS_STATUS_SCHEMA),
  bootId: nameSchema,
  phase: z.enum(EXTENSION_PHASES),
  target: z.strictObject({ name, version: version.nullable() }).nullable(),
  progress: progressSchema.nullable(),
  merged: z
    .array(
      z.strictObject({
        kind: z.enum(EXTENSION_KINDS),
        name,
        version,
        rootHash: digestSchema,
        until: timeSchema.nullable(),
      }),
    )
    .max(MAX_EXTENSIONS),
  // Such images may have any name, and say anything of themselves.
  setAside: z
    .array(z.strictObject({ name: nameSchema, version: nameSchema.nullable(), reason: messageSchema }))
    .max(MAX_SET_ASIDE),
  missing: z.array(z.strictObject({ name, reason: messageSchema })).max(MAX_EXTENSIONS),
  lastError: nodeErrorSchema.nullable(),
  failures: z
    .array(z.strictObject({ name, version, at: timeSchema, check: nameSchema, message: messageSchema }))
    .max(MAX_FAILURES),
});

/** @throws AshlarError `limit` or `malformed` */
export function parseExtensionsStatus(text: string): ExtensionsStatus {
  return parseDocument(text, statusSchema, "extensions status", MAX_EXTENSIONS_STATUS_BYTES);
}

/** The JSON Schema of {@link ExtensionsStatus}. */
export function extensionsStatusJsonSchema(): object {
  return { title: "What an agent answers to GET /v1/extensions", ...z.toJSONSchema(statusSchema, { io: "input" }) };
}
