import type { Guid } from "../gpt/guid.ts";

/** EFI_GLOBAL_VARIABLE and EFI_IMAGE_SECURITY_DATABASE_GUID (UEFI 2.10, 3.3 and 32.6.1). */
const GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
const SECURITY_DATABASE = "d719b2cb-3d3a-4596-a3bc-dad00e67656f";

/** The variables that Secure Boot consists of. */
export type SecureBootVariable = "SecureBoot" | "PK" | "KEK" | "db" | "dbx";
/** Those that hold keys. */
export type KeyVariable = "PK" | "KEK" | "db";
export const KEY_VARIABLES: readonly KeyVariable[] = ["PK", "KEK", "db"];

export const SECURE_BOOT_VENDORS: Readonly<Record<SecureBootVariable, Guid>> = {
  SecureBoot: GLOBAL,
  PK: GLOBAL,
  KEK: GLOBAL,
  db: SECURITY_DATABASE,
  dbx: SECURITY_DATABASE,
};
