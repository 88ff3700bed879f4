import { stat } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError, messageOf } from "@ashlar/base";
import type { Advisories } from "@ashlar/inventory";

/** All of Debian's records are about 50,000 files. */
const MAX_FILES = 500_000;

/** Advisories of a file, or of the `*.json` files of a directory. @throws AshlarError `not-found`, `limit`, `malformed`, `invalid` */
export async function readAdvisories(place: string): Promise<Advisories> {
  const { joinAdvisories, MAX_TRACKER_CHARACTERS, parseAdvisories } = await import("@ashlar/inventory");
  const { readLimited } = await import("@ashlar/host");
  const all: Advisories[] = [];
  for (const path of await filesAt(place)) {
    const bytes = await readLimited(path, MAX_TRACKER_CHARACTERS, { what: "advisories", links: "follow" });
    all.push(parseAdvisories(bytes.toString("utf8"), path));
  }
  return joinAdvisories(all);
}

async function filesAt(place: string): Promise<string[]> {
  const { listDirectory } = await import("@ashlar/host");
  let isDirectory;
  try {
    isDirectory = (await stat(place)).isDirectory();
  } catch (error) {
    throw new AshlarError("not-found", `expected a file of advisories, or a directory of them: ${messageOf(error)}`);
  }
  if (!isDirectory) return [place];
  const names = (await listDirectory(place, MAX_FILES, { links: "follow" })).map(({ name }) => name);
  const files = names.filter((name) => name.endsWith(".json")).toSorted();
  if (files.length > 0) return files.map((name) => join(place, name));
  throw new AshlarError("not-found", `${place}: expected OSV records as *.json, found none`, {
    hint: "unpack the archive of an ecosystem there",
  });
}
