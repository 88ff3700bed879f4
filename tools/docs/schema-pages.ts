import { debugResultJsonSchema, updateResultJsonSchema } from "@ashlar/rollout";
import {
  certificateJsonSchema,
  fleetCertificateJsonSchema,
  fleetJsonSchema,
  historyEntryJsonSchema,
} from "@ashlar/fleet";
import { extensionRecordJsonSchema, updateRecordJsonSchema } from "@ashlar/verifier/declared";
import {
  evidenceSchema,
  extensionsStatusJsonSchema,
  manifestSchema,
  updateJsonSchemas,
} from "@ashlar/protocol/answers";
import { viewJsonSchemas } from "@ashlar/gateway";
import { fleetVerdictJsonSchema } from "@ashlar/identity";
import { provenanceJsonSchema } from "@ashlar/statements";
import { z } from "zod";

/** JSON Schemas of what Ashlar writes for other programs: texts by file name. */
export function schemaPages(): Map<string, string> {
  const schemas: readonly (readonly [string, object])[] = [
    ["fleet-v1", fleetJsonSchema()],
    ["fleet-certificate-v1", certificateJsonSchema()],
    ["fleet-certificate-predicate-v1", fleetCertificateJsonSchema()],
    ["history-entry-v1", historyEntryJsonSchema()],
    ["provenance-v1", provenanceJsonSchema()],
    ["fleet-verdict-v2", fleetVerdictJsonSchema()],
    ["update-result-v1", updateResultJsonSchema()],
    ["update-record-v1", updateRecordJsonSchema()],
    ["debug-session-v2", debugResultJsonSchema()],
    ["extension-record-v1", extensionRecordJsonSchema()],
    ["extensions-v1", extensionsStatusJsonSchema()],
    ...viewJsonSchemas(),
    ...updateJsonSchemas(),
    ["manifest-v2", { title: "manifest.json of a release, version 2", ...z.toJSONSchema(manifestSchema) }],
    [
      "evidence-v2",
      { title: "What an agent answers to POST /v1/evidence, version 2", ...z.toJSONSchema(evidenceSchema) },
    ],
  ];
  return new Map(
    schemas.map(([name, schema]) => [`schemas/${name}.json`, `${JSON.stringify(schema, undefined, 2)}\n`] as const),
  );
}
