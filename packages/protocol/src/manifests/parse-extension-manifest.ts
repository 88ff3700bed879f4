import { z } from "zod";
import { digestSchema, filesSchema, MAX_MANIFEST_CHARACTERS, packagesSchema } from "./manifest.ts";
import { parseDocument } from "../parse-document.ts";
import {
  EXTENSION_KINDS,
  EXTENSION_MANIFEST_SCHEMA,
  EXTENSION_TIERS,
  EXTENSION_VERSION_PATTERN,
  type ExtensionManifest,
} from "./extension-manifest.ts";
import { EXTENSION_NAME_PATTERN } from "../words/extension-words.ts";

/** Of lists of units and of files to replace. */
const MAX_ENTRIES = 1000;

const unit = z
  .string()
  .max(255)
  .regex(/^[A-Za-z0-9:_.\\@-]+\.[a-z]+$/u, "expected a unit's name");
const units = z.array(unit).max(MAX_ENTRIES);
const path = z.string().max(4096).startsWith("/");

const extensionManifest: z.ZodType<ExtensionManifest> = z.strictObject({
  schema: z.literal(EXTENSION_MANIFEST_SCHEMA),
  kind: z.enum(EXTENSION_KINDS),
  name: z.string().regex(EXTENSION_NAME_PATTERN, "expected an extension's name"),
  version: z.string().regex(EXTENSION_VERSION_PATTERN, "expected a version such as v1.33.2"),
  architecture: z.literal("x86-64"),
  tier: z.enum(EXTENSION_TIERS),
  host: z.strictObject({ id: z.string().min(1).max(64), level: z.string().min(1).max(64).nullable() }),
  image: z.strictObject({
    sizeBytes: z.int().positive(),
    sha256: digestSchema,
    rootHash: digestSchema,
    certificateSha256: digestSchema,
  }),
  behaviour: z.strictObject({
    replaces: z.array(path).max(MAX_ENTRIES),
    restart: units,
    reload: units,
    start: units,
    healthCheck: path.startsWith("/usr/lib/ashlar/health.d/").nullable(),
  }),
  packages: packagesSchema,
  files: filesSchema,
});

/**
 * Parses the text of an extension's `.manifest.json`. What it says of the image is a claim until it was compared.
 *
 * @throws AshlarError `limit` or `malformed` (wrong shape, with the path)
 */
export function parseExtensionManifest(text: string): ExtensionManifest {
  return parseDocument(text, extensionManifest, "extension manifest", MAX_MANIFEST_CHARACTERS);
}
