import { AshlarError, type Report } from "@ashlar/base";
import { adviseForAshlar } from "../advice/ashlar.ts";
import { Decoder } from "../document/decode.ts";
import { isObject, textOf } from "../document/decoded.ts";
import { Findings } from "../document/findings.ts";
import { jsonNotation } from "../document/json-notation.ts";
import { Origins } from "../document/origins.ts";
import { readJson } from "../document/read-json.ts";
import type { Tree } from "../document/tree.ts";
import { IGNITION_VERSIONS, type IgnitionVersion } from "../ignition-versions.ts";
import { part, optional, text as textType } from "../schema/schema.ts";
import { validateConfig } from "../validate/validate.ts";

export type ValidateOptions = {
  /** The system that the config is for: for Ashlar nodes the report also advises about what will not work there. */
  readonly target?: "flatcar" | "ashlar";
};

/**
 * Checks an Ignition config, versions 3.0.0 to 3.4.0, as Ignition does. Everything that is wrong with it is in the report;
 * nothing is thrown for a bad config.
 */
export function validateIgnition(text: string, options: ValidateOptions = {}): Report {
  const origins = new Origins("json");
  const findings = new Findings(text, origins);
  try {
    validateInto(findings, origins, text, options);
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    findings.at("error", undefined, error.message, error.hint);
  }
  return findings.report();
}

function validateInto(findings: Findings, origins: Origins, text: string, options: ValidateOptions): void {
  const read = readJson(text);
  if (read.problem !== undefined) {
    findings.at("error", read.problem.offset, read.problem.message);
    return;
  }
  const version = chooseVersion(read.tree, findings);
  if (version === undefined) return;
  const config = new Decoder(jsonNotation, origins, findings).document(read.tree, version.schema);
  if (findings.hasErrors) return;
  validateConfig(config, version.schema, { findings, rules: version.rules });
  if (options.target === "ashlar") adviseForAshlar(config, version.schema, findings);
}

const header = part("Header", [optional("ignition", part("HeaderIgnition", [optional("version", textType, "")]), "")]);

function chooseVersion(tree: Tree, findings: Findings): IgnitionVersion | undefined {
  const origins = new Origins("json");
  const headerFindings = new Findings("", origins);
  const config = new Decoder(jsonNotation, origins, headerFindings).document(tree, header);
  if (headerFindings.hasErrors) {
    headerFindings.forwardErrors(findings);
    return undefined;
  }
  const { ignition } = config;
  const given = isObject(ignition) ? textOf(ignition["version"]) : "";
  const found = IGNITION_VERSIONS.find(({ version }) => version === given);
  if (found === undefined) {
    const known = IGNITION_VERSIONS.map(({ version }) => version).join(", ");
    const message = `expected one of the versions ${known}, found ${given === "" ? "none" : given}`;
    findings.atKey("error", origins.locate([config, "ignition", "version"]), message);
  }
  return found;
}
