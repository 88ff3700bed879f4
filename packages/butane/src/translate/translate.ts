import { AshlarError, type Report } from "@ashlar/base";
import { adviseForAshlar } from "../advice/ashlar.ts";
import { Decoder } from "../document/decode.ts";
import { isObject, textOf } from "../document/decoded.ts";
import { Findings } from "../document/findings.ts";
import { Origins } from "../document/origins.ts";
import { readYaml } from "../document/read-yaml.ts";
import type { Tree } from "../document/tree.ts";
import { yamlNotation } from "../document/yaml-notation.ts";
import type { Config as Ignition330 } from "../flatcar-1.0.0/ignition.ts";
import type { Config as Ignition340 } from "../flatcar-1.1.0/ignition.ts";
import { filesFromMap, limited, type LocalFiles } from "../local/local-files.ts";
import { serialize } from "../output/serialize.ts";
import { part, required, text as textType } from "../schema/schema.ts";
import { validateConfig } from "../validate/validate.ts";
import { BUTANE_VERSIONS, type ButaneVersion } from "../versions.ts";
import { checkConfig } from "./checks.ts";
import type { Context } from "./context.ts";
import { embedKeys } from "./keys.ts";
import { addMountUnits } from "./mount-units.ts";
import { embedResources } from "./resources.ts";
import { embedTrees } from "./trees.ts";
import { embedUnits } from "./units.ts";

export type TranslateOptions = {
  /** The files that `local` keys may name. Without it they are errors. */
  readonly files?: LocalFiles | ReadonlyMap<string, string | Uint8Array>;
  /** Warnings forbid the result, too. */
  readonly strict?: boolean;
  /** The system that the config is for: for Ashlar nodes the report also advises about what will not work there. */
  readonly target?: "flatcar" | "ashlar";
  /** Prints the result over many lines, indented by two. */
  readonly pretty?: boolean;
};

export type IgnitionConfig = Ignition330 | Ignition340;

export type Translation = {
  /** The Ignition config as JSON text, without a final newline; absent if the report has errors. */
  readonly ignition: string | undefined;
  /** The same config as a value. */
  readonly config: IgnitionConfig | undefined;
  readonly report: Report;
};

/**
 * Translates a Butane config (variant flatcar, 1.0.0 or 1.1.0) into an Ignition config. Everything that is wrong with it
 * is in the report, with its place; nothing is thrown for a bad config.
 */
export function translate(text: string, options: TranslateOptions = {}): Translation {
  // The other line breaks of YAML 1.1 that count as line feeds inside texts, too; offsets stay the same.
  const source = text.replaceAll(/\r(?!\n)|\u0085/gu, "\n");
  const origins = new Origins("yaml");
  const findings = new Findings(source, origins);
  let ignition: string | undefined;
  try {
    ignition = translateInto(findings, origins, source, options);
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    findings.at("error", undefined, error.message, error.hint);
  }
  const report = findings.report();
  const refused = report.some(
    ({ severity }) => severity === "error" || (options.strict === true && severity === "warning"),
  );
  const printed = refused ? undefined : ignition;
  return {
    ignition: printed,
    get config(): IgnitionConfig | undefined {
      return printed === undefined ? undefined : JSON.parse(printed);
    },
    report,
  };
}

function translateInto(
  findings: Findings,
  origins: Origins,
  text: string,
  options: TranslateOptions,
): string | undefined {
  const read = readYaml(text);
  if (read.problem !== undefined) {
    findings.at("error", read.problem.offset, read.problem.message, read.problem.hint);
    return undefined;
  }
  const tree: Tree = read.tree ?? { kind: "map", offset: 0, entries: [] };
  const version = chooseVersion(tree, findings);
  if (version === undefined) return undefined;
  const config = new Decoder(yamlNotation, origins, findings).document(tree, version.schema);
  if (findings.hasErrors) return undefined;
  const { files } = options;
  const context: Context = {
    config,
    version,
    findings,
    origins,
    files: files === undefined ? undefined : limited("look" in files ? files : filesFromMap(files)),
  };
  checkConfig(context);
  embedResources(context);
  embedUnits(context);
  embedKeys(context);
  embedTrees(context);
  addMountUnits(context);
  setVersion(context);
  findings.nextPhase();
  validateConfig(config, version.schema, { findings, rules: version.rules });
  if (options.target === "ashlar") adviseForAshlar(config, version.schema, findings);
  return serialize(config, version.schema, options);
}

const header = part("Header", [required("variant", textType, ""), required("version", textType, "")]);

/** Finds out which version of the language the document is written in. */
function chooseVersion(tree: Tree, findings: Findings): ButaneVersion | undefined {
  const origins = new Origins("yaml");
  const headerFindings = new Findings("", origins);
  const config = new Decoder(yamlNotation, origins, headerFindings).document(tree, header);
  if (headerFindings.hasErrors) {
    headerFindings.forwardErrors(findings);
    return undefined;
  }
  const variant = textOf(config["variant"]);
  const version = textOf(config["version"]);
  // As in Semantic Versioning, with nothing in the parts after - and +; zeros in front of a number are no other number.
  const plain = version.replace(/-?\+?$/u, "").replaceAll(/(?<=^|\.)0+(?=\d)/gu, "");
  const found = BUTANE_VERSIONS.find((known) => known.variant === variant && known.version === plain);
  if (found === undefined) {
    const key = BUTANE_VERSIONS.some((known) => known.variant === variant) ? "version" : "variant";
    const known = BUTANE_VERSIONS.map((one) => `${one.variant} ${one.version}`).join(" or ");
    const given = config[key] === "" ? `no ${key}` : `${variant} ${version}`;
    const hint = "start the config with two lines: variant: flatcar, version: 1.1.0";
    findings.atKey("error", origins.locate([config, key]), `expected ${known}, found ${given}`, hint);
  }
  return found;
}

function setVersion({ config, version }: Context): void {
  const { ignition } = config;
  if (isObject(ignition)) ignition["version"] = version.ignition;
  else config["ignition"] = { version: version.ignition };
}
