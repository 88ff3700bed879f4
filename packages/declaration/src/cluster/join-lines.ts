/** What a line `kubeadm join ...` says, as far as it names the cluster. */
export type JoinLine = {
  /** The first word that is not an option; anything at all. */
  readonly server: string | undefined;
  /** In the order of the line; anything at all. */
  readonly caHashes: readonly string[];
  /** The value of `--config`. */
  readonly configFile: string | undefined;
};

const MAX_CHARACTERS = 256 * 1024;
const MAX_LINES = 16;
/** Options of `kubeadm join` (1.33) that take no value; a word after any other is its value. */
const SWITCHES: ReadonlySet<string> = new Set([
  "--control-plane",
  "--discovery-token-unsafe-skip-ca-verification",
  "--dry-run",
  "--help",
  "-h",
]);
const CA_HASH_OPTION = "--discovery-token-ca-cert-hash";

/**
 * Those in what a unit file starts (systemd.service(5), "COMMAND LINES"), also within `sh -c "..."`. Quotes are taken for
 * spaces: no word that names a cluster has one.
 */
export function joinLinesOf(unit: string): JoinLine[] {
  if (unit.length > MAX_CHARACTERS) return [];
  const joined = unit.replaceAll(/\\\r?\n(?:[ \t]*[#;].*\r?\n)*/gu, " ");
  return joined
    .split("\n")
    .flatMap(
      (line) => /^[ \t]*Exec(?:Start|StartPre|StartPost)[ \t]*=(?<command>.*)$/u.exec(line)?.groups?.["command"] ?? [],
    )
    .flatMap(commandsOf)
    .flatMap((words) => joinLineOf(words) ?? [])
    .slice(0, MAX_LINES);
}

/** The words of each command: a shell's line may hold several. */
function commandsOf(line: string): string[][] {
  return line
    .replaceAll(/["'\r]/gu, " ")
    .split(/;|&|\|/u)
    .map((command) => command.split(/[ \t]+/u).filter((word) => word !== ""));
}

function joinLineOf(words: readonly string[]): JoinLine | undefined {
  const start = words.findIndex((word, at) => /(?:^|[/@:+!-])kubeadm$/u.test(word) && words[at + 1] === "join");
  if (start === -1) return undefined;
  let server: string | undefined;
  let configFile: string | undefined;
  const caHashes: string[] = [];
  for (let at = start + 2; at < words.length; at += 1) {
    const word = words[at] ?? "";
    if (!word.startsWith("-")) {
      server ??= word;
      continue;
    }
    const equals = word.indexOf("=");
    const name = equals === -1 ? word : word.slice(0, equals);
    if (equals === -1 && SWITCHES.has(name)) continue;
    if (equals === -1) at += 1;
    const value = equals === -1 ? (words[at] ?? "") : word.slice(equals + 1);
    if (name === CA_HASH_OPTION) caHashes.push(...value.split(","));
    if (name === "--config") configFile = value;
  }
  return { server, caHashes, configFile };
}
