import type { DecodedObject } from "../document/decoded.ts";
import type { Findings } from "../document/findings.ts";
import type { Origins } from "../document/origins.ts";
import type { LocalFiles } from "../local/local-files.ts";
import type { ButaneVersion } from "../versions.ts";

/** What the steps of one translation share. They change `config`, which starts as decoded and ends as Ignition's. */
export type Context = {
  readonly config: DecodedObject;
  readonly version: ButaneVersion;
  readonly findings: Findings;
  readonly origins: Origins;
  readonly files: LocalFiles | undefined;
};
