/** Which node a path asks for, and which file of its evidence; no name for a path that asks for something else. */
export function parseNodePath(path: string): {
  readonly name?: string | undefined;
  readonly file?: string | undefined;
} {
  const [, encoded, file] = /^\/v1\/nodes\/([^/]+)(?:\/evidence\/([^/]+))?$/u.exec(path) ?? [];
  try {
    return { name: encoded === undefined ? undefined : decodeURIComponent(encoded), file };
  } catch {
    return {};
  }
}
