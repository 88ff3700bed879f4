import { linesOf, splitAt } from "./lines.ts";

type Texts = ReadonlyMap<string, string>;
type Entries = readonly (readonly [string, string])[];

/** What is in effect, by kind and name. Users come from a file, and are the same of a tree that does not run. */
export function stateOf(texts: Texts): ReadonlyMap<string, string> {
  const all: readonly Entries[] = [
    ["kernel", "command-line"].flatMap((name) => {
      const text = texts.get(name)?.trim();
      return text === undefined || text === "" ? [] : [[name, text] as const];
    }),
    linesOf(texts.get("modules")).map((name) => [`module:${name}`, "loaded"]),
    settings(texts),
    linesOf(texts.get("mounts")).map(mount),
    linesOf(texts.get("units")).map(unit),
    linesOf(texts.get("users")).map((line) => {
      const [name, rest] = splitAt(line, ":");
      return [`user:${name}`, rest];
    }),
    running(texts.get("running-deleted")),
    running(texts.get("libraries-deleted")),
  ];
  return new Map(all.flat());
}

/** A setting of several lines has its path before each of them. */
function settings(texts: Texts): Entries {
  const found = new Map<string, string>();
  for (const line of linesOf(texts.get("sysctl"))) {
    const [path, value] = splitAt(line, ":");
    const key = `sysctl:${path.replace(/^\/proc\/sys\//u, "")}`;
    const before = found.get(key);
    found.set(key, before === undefined ? value : `${before}\n${value}`);
  }
  return [...found];
}

/** fstab(5): what, where, type, options. Devices and sizes are each machine's own; what may be done there is not. */
function mount(line: string): readonly [string, string] {
  const [, where = "", type = "", options = ""] = line.split(" ");
  const telling = options.split(",").filter((option) => /^(?:ro|rw|nosuid|nodev|noexec|nosymfollow)$/u.test(option));
  return [`mount:${where}`, `${type} ${telling.join(",")}`];
}

/** `ssh.service enabled enabled`: the second is what the distribution would do. */
function unit(line: string): readonly [string, string] {
  const [name = "", state = ""] = line.split(/\s+/u);
  return [`unit:${name}`, state];
}

function running(text: string | undefined): Entries {
  return linesOf(text).map((line) => [`running:${line.replace(/ \(deleted\)$/u, "")}`, "deleted, and still running"]);
}
