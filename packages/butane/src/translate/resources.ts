import { bytesOfText } from "../document/byte-text.ts";
import { textOf, type DecodedObject } from "../document/decoded.ts";
import { dataUrl } from "../output/data-url.ts";
import { schemaObjects } from "../schema/schema-objects.ts";
import type { Context } from "./context.ts";
import { readLocal } from "./read-local.ts";

const SOURCES = ["local", "inline", "source"] as const;

/** Turns inline and local contents into data URLs, wherever the schema has a resource. */
export function embedResources(context: Context): void {
  for (const { name, value } of schemaObjects(context.config, context.version.schema)) {
    if (name === "Resource") embed(context, value);
  }
}

function embed(context: Context, resource: DecodedObject): void {
  const given = SOURCES.filter((key) => resource[key] !== undefined);
  const [first] = given;
  if (given.length > 1) {
    const last = given.at(-1) ?? "source";
    context.findings.error(
      [resource, last],
      `expected one of inline, local and source, found ${given.toReversed().join(" and ")}`,
      "keep the one that holds the contents",
    );
    // Something valid, so that the checks that follow find no more here than there is.
    resource["source"] = "data:,";
    return;
  }
  if (first === undefined || first === "source") return;
  const written = textOf(resource[first]);
  const bytes = first === "inline" ? bytesOfText(written) : readLocal(context, written, [resource, "local"]);
  const { compression } = resource;
  const url = dataUrl(bytes ?? new Uint8Array(0), compression === undefined ? undefined : textOf(compression));
  resource["source"] = url.source;
  resource["compression"] = url.compression;
  context.origins.move(resource, "source", [resource, first]);
  if (compression === undefined) context.origins.move(resource, "compression", [resource, first]);
}
