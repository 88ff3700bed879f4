/**
 * The name of a member that would be lost when this JSON text is read: the first of two with one name, or `__proto__`,
 * which records leave out. Whoever reads a file of ours again must see all that is in it, or refuse it.
 *
 * @param text has been parsed before: it is JSON
 */
export function findLostMember(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  // Strings with what follows, and the brackets outside of strings.
  for (const [token, string, colon] of text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/gu)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    if (string === undefined || colon === undefined) continue;
    const name: unknown = JSON.parse(string);
    const names = open.at(-1);
    if (typeof name !== "string" || names === undefined) continue;
    if (name === "__proto__" || names.has(name)) return name;
    names.add(name);
  }
  return undefined;
}
