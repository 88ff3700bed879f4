import { BUTANE_VERSIONS, type ButaneVersion } from "../versions.ts";
import { jsonSchema } from "./json-schema.ts";
import { referencePage } from "./reference-page.ts";

/** The pages of docs/reference about Butane configs, and the schemas for editors: texts by path. */
export function butanePages(): Map<string, string> {
  const pages = new Map<string, string>();
  for (const version of BUTANE_VERSIONS) {
    const name = `butane-${version.variant}-${version.version}`;
    pages.set(`${name}.md`, referencePage(titleOf(version), introduction(version, name), version.schema));
    pages.set(
      `schemas/${name}.json`,
      `${JSON.stringify(jsonSchema(titleOf(version), version.schema), undefined, 2)}\n`,
    );
  }
  return pages;
}

function titleOf({ variant, version }: ButaneVersion): string {
  return `Butane, variant ${variant}, version ${version}`;
}

function introduction({ ignition }: ButaneVersion, name: string): string {
  return `All keys of this version, which becomes Ignition ${ignition}. Generated from its schema by \`npm run docs\`. \
[ashlar butane](ashlar-butane.md) translates.

[A JSON Schema](schemas/${name}.json) makes editors complete and explain the keys. With the YAML language server (in Visual
Studio Code: the extension "YAML" by Red Hat), name it in the first line of a config:

\`\`\`yaml
# yaml-language-server: $schema=PATH/docs/reference/schemas/${name}.json
\`\`\``;
}
