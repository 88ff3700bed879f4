/** One file of apt's configuration (sources.list(5)). */
export type SourceFile = { readonly path: string; readonly text: string };

type Entry = { readonly suites: readonly string[]; readonly withSuite: (suite: string) => string };

/**
 * The source entry that adds `suite` beside the suite `of`: a copy of the machine's own entry for `of`, so that the
 * mirror, its options and the key that signs it are those that the machine's owner chose.
 *
 * @returns `"present"` when the suite is configured already, undefined when no entry for `of` was found.
 */
export function sourceEntryBeside(
  files: readonly SourceFile[],
  of: string,
  suite: string,
): { readonly extension: "list" | "sources"; readonly text: string } | "present" | undefined {
  const found = files.flatMap((file) => {
    const extension = file.path.endsWith(".sources") ? "sources" : "list";
    const entries = extension === "sources" ? deb822Entries(file.text) : oneLineEntries(file.text);
    return entries.map((entry) => ({ entry, extension }) as const);
  });
  if (found.some(({ entry }) => entry.suites.includes(suite))) return "present";
  const source = found.find(({ entry }) => entry.suites.includes(of));
  return source && { extension: source.extension, text: source.entry.withSuite(suite) };
}

function oneLineEntries(text: string): Entry[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*deb\s+(?<options>\[[^\]]*\]\s+)?(?<uri>\S+)\s+(?<suite>\S+)\s+(?<components>[^#]+)/u.exec(line);
    const { options = "", uri = "", suite = "", components = "" } = match?.groups ?? {};
    if (!components.split(/\s+/u).includes("main")) return [];
    return [{ suites: [suite], withSuite: (other: string) => `deb ${options}${uri} ${other} main\n` }];
  });
}

function deb822Entries(text: string): Entry[] {
  const stanzas = text.replaceAll(/^#.*\n?/gmu, "").split(/\n\s*\n/u);
  return stanzas.flatMap((stanza) => {
    const fields = new Map<string, string>();
    // A field's value goes on in the lines that begin with white space: an embedded key takes many.
    for (const [, name = "", value = ""] of stanza.matchAll(/^([\w-]+):((?:.*)(?:\n[ \t].*)*)/gmu)) {
      fields.set(name.toLowerCase(), value);
    }
    const words = (name: string): string[] => (fields.get(name) ?? "").trim().split(/\s+/u);
    const enabled = !["no", "false", "0", "off", "disable"].includes(words("enabled").join("").toLowerCase());
    if (!enabled || !words("types").includes("deb") || !words("components").includes("main")) return [];
    const signedBy = fields.get("signed-by");
    const key = signedBy === undefined ? "" : `Signed-By:${signedBy}\n`;
    const withSuite = (other: string): string =>
      `Types: deb\nURIs: ${words("uris").join(" ")}\nSuites: ${other}\nComponents: main\n${key}`;
    return [{ suites: words("suites"), withSuite }];
  });
}
