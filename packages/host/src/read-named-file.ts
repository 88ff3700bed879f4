import { readLimited } from "./read-file.ts";

/** What users name by a path is parsed with limits of its own; no such file is larger. */
const MAX_NAMED_FILE_BYTES = 64 * 1024 * 1024;

/** The text of a file that a user has named. */
export async function readText(path: string, what: string): Promise<string> {
  return (await readNamedFile(path, what)).toString("utf8");
}

/** The bytes of a file that a user has named: links may lead to it, but it must be a regular file. */
export async function readNamedFile(path: string, what: string): Promise<Buffer> {
  return await readLimited(path, MAX_NAMED_FILE_BYTES, { what, links: "follow" });
}
