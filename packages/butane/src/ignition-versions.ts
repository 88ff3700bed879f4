import { schema as flatcar100 } from "./flatcar-1.0.0/schema.ts";
import { schema as flatcar110 } from "./flatcar-1.1.0/schema.ts";
import { RULES_3_0, RULES_3_1, RULES_3_2, RULES_3_3, RULES_3_4, type IgnitionRules } from "./ignition-rules.ts";
import type { ObjectSchema } from "./schema/schema.ts";
import { without } from "./schema/without.ts";

/** A released version of Ignition configs. */
export type IgnitionVersion = {
  readonly version: string;
  readonly schema: ObjectSchema;
  readonly rules: IgnitionRules;
};

const NEW_IN_3_1 = [
  "ignition.proxy",
  ...["config.merge", "config.replace", "security.tls.certificateAuthorities"].flatMap((resource) => [
    `ignition.${resource}.compression`,
    `ignition.${resource}.httpHeaders`,
  ]),
  "storage.files.append.httpHeaders",
  "storage.files.contents.httpHeaders",
  "storage.filesystems.mountOptions",
];
const NEW_IN_3_2 = [
  "passwd.groups.shouldExist",
  "passwd.users.shouldExist",
  "storage.disks.partitions.resize",
  "storage.luks",
];
const NEW_IN_3_3 = ["kernelArguments"];

/** Butane's schemas say what is Ignition's in them; each older version is the next one without what that added. */
const ignition320 = without(flatcar100, NEW_IN_3_3);
const ignition310 = without(ignition320, NEW_IN_3_2);
const ignition300 = without(ignition310, NEW_IN_3_1);

export const IGNITION_VERSIONS: readonly IgnitionVersion[] = [
  { version: "3.0.0", schema: ignition300, rules: RULES_3_0 },
  { version: "3.1.0", schema: ignition310, rules: RULES_3_1 },
  { version: "3.2.0", schema: ignition320, rules: RULES_3_2 },
  { version: "3.3.0", schema: flatcar100, rules: RULES_3_3 },
  { version: "3.4.0", schema: flatcar110, rules: RULES_3_4 },
];
