import { textOfBytes } from "../document/byte-text.ts";
import { isObject, listOf, objectsOf, textOf, type Decoded, type DecodedObject } from "../document/decoded.ts";
import type { Context } from "./context.ts";
import { readLocal } from "./read-local.ts";

/** Adds the SSH keys of local files, one per line, to those that the config names. */
export function embedKeys(context: Context): void {
  const { passwd } = context.config;
  if (!isObject(passwd)) return;
  for (const user of objectsOf(passwd["users"])) embedKeysOf(context, user);
}

function embedKeysOf(context: Context, user: DecodedObject): void {
  const files = listOf(user["sshAuthorizedKeysLocal"]);
  if (files.length === 0) return;
  const named = listOf(user["sshAuthorizedKeys"]);
  const keys: Decoded[] = [...named];
  context.origins.derive(keys, [user, "sshAuthorizedKeys"]);
  for (const index of named.keys()) context.origins.move(keys, index, [user, "sshAuthorizedKeys", index]);
  for (const [index, file] of files.entries()) {
    const place = [user, "sshAuthorizedKeysLocal", index] as const;
    const bytes = readLocal(context, textOf(file), place);
    if (bytes === undefined) continue;
    for (const key of textOfBytes(bytes).split(/\r?\n/u)) {
      if (key === "") continue;
      context.origins.move(keys, keys.length, place);
      keys.push(key);
    }
  }
  user["sshAuthorizedKeys"] = keys.length === 0 ? undefined : keys;
}
