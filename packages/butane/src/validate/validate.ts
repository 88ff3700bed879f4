import { isObject } from "../document/decode.ts";
import type { Decoded, DecodedObject } from "../document/decode.ts";
import type { ObjectSchema, Schema } from "../schema/schema.ts";
import { checkDisk, checkPartition } from "./disks.ts";
import { checkDuplicates } from "./duplicates.ts";
import { checkFile, checkLink, checkNode, checkOwner, checkStorage, checkUnitPaths } from "./nodes.ts";
import { checkHeader, checkProxy, checkResource, needSource } from "./resources.ts";
import { checkDropin, checkUnit } from "./systemd.ts";
import type { Check, Validation } from "./validation.ts";
import { checkClevis, checkFilesystem, checkLuks, checkRaid, checkTang } from "./volumes.ts";

/** The checks of each kind of object, by its name in the schemas. */
const CHECKS: Readonly<Record<string, Check>> = {
  Clevis: checkClevis,
  Config: checkUnitPaths,
  Directory: checkNode,
  Disk: checkDisk,
  Dropin: checkDropin,
  File: checkFile,
  Filesystem: checkFilesystem,
  HttpHeader: checkHeader,
  IgnitionConfigSources: (config, { findings }) => {
    needSource(findings, config["merge"]);
  },
  Link: checkLink,
  Luks: checkLuks,
  NodeOwner: checkOwner,
  Partition: checkPartition,
  Proxy: checkProxy,
  Raid: checkRaid,
  Resource: checkResource,
  Storage: checkStorage,
  Tang: checkTang,
  Tls: (tls, { findings }) => {
    needSource(findings, tls["certificateAuthorities"]);
  },
  Unit: checkUnit,
};

/** Checks an Ignition config as Ignition itself does before it changes anything. */
export function validateConfig(config: DecodedObject, schema: ObjectSchema, validation: Validation): void {
  visit(config, schema, validation);
}

function visit(value: Decoded, schema: Schema, validation: Validation): void {
  if (schema.kind === "list" && Array.isArray(value)) {
    if (schema.of.kind === "object") for (const item of value) visit(item, schema.of, validation);
  } else if (schema.kind === "object" && isObject(value)) {
    CHECKS[schema.name]?.(value, validation);
    checkDuplicates(value, schema, validation.findings);
    for (const field of schema.fields) {
      const child = value[field.json];
      if (child !== undefined && field.language !== "butane") visit(child, field.schema, validation);
    }
  }
}
