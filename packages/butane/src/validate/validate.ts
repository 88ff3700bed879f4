import type { DecodedObject } from "../document/decoded.ts";
import { schemaObjects } from "../schema/schema-objects.ts";
import type { ObjectSchema } from "../schema/schema.ts";
import { checkDisk, checkPartition } from "./disks.ts";
import { checkDuplicates } from "./duplicates.ts";
import { checkFile, checkLink, checkNode, checkOwner, checkStorage, checkUnitPaths } from "./nodes.ts";
import { checkHeader, checkProxy, checkResource, needSource } from "./resources.ts";
import { checkDropin, checkInstances, checkUnit } from "./systemd.ts";
import type { Check, Validation } from "./validation.ts";
import { checkClevis, checkFilesystem, checkFilesystemDisks, checkLuks, checkRaid, checkTang } from "./volumes.ts";

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
  Storage: (storage, validation) => {
    checkStorage(storage, validation);
    checkFilesystemDisks(storage, validation);
  },
  Systemd: checkInstances,
  Tang: checkTang,
  Tls: (tls, { findings }) => {
    needSource(findings, tls["certificateAuthorities"]);
  },
  Unit: checkUnit,
};

/** Checks an Ignition config as Ignition itself does before it changes anything. */
export function validateConfig(config: DecodedObject, schema: ObjectSchema, validation: Validation): void {
  for (const { name, value, schema: own } of schemaObjects(config, schema)) {
    CHECKS[name]?.(value, validation);
    checkDuplicates(value, own, validation.findings);
  }
}
