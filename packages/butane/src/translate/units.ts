import { textOfBytes } from "../document/byte-text.ts";
import { isObject, objectsOf, textOf, type DecodedObject } from "../document/decoded.ts";
import type { Context } from "./context.ts";
import { readLocal } from "./read-local.ts";

/** Reads units and drop-ins from local files. */
export function embedUnits(context: Context): void {
  const { systemd } = context.config;
  if (!isObject(systemd)) return;
  for (const unit of objectsOf(systemd["units"])) {
    embedContents(context, unit);
    for (const dropin of objectsOf(unit["dropins"])) embedContents(context, dropin);
  }
}

function embedContents(context: Context, holder: DecodedObject): void {
  const local = textOf(holder["contentsLocal"]);
  if (holder["contentsLocal"] !== undefined && holder["contents"] !== undefined) {
    const place = [holder, "contentsLocal"] as const;
    context.findings.error(place, "expected one of contents and contents_local, found both", "keep one of them");
    return;
  }
  if (local === "") return;
  const bytes = readLocal(context, local, [holder, "contentsLocal"]);
  context.origins.move(holder, "contents", [holder, "contentsLocal"]);
  if (bytes !== undefined) holder["contents"] = textOfBytes(bytes);
}
