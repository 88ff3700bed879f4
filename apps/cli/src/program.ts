import type { Command } from "commander";
import { ownVersion } from "./own-version.ts";
import { rootCommand } from "./root-command.ts";

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  audit: async () => (await import("./commands/audit.ts")).auditCommand(),
  butane: async () => (await import("./commands/butane.ts")).butaneCommand(),
  completion: async () => (await import("./commands/completion.ts")).completionCommand(createProgram),
  certificate: async () => (await import("./commands/certificate.ts")).certificateCommand(),
  console: async () => (await import("./commands/console.ts")).consoleCommand(),
  certify: async () => (await import("./commands/certify.ts")).certifyCommand(),
  debug: async () => (await import("./commands/debug.ts")).debugCommand(),
  explain: async () => (await import("./commands/explain.ts")).explainCommand(),
  extension: async () => (await import("./commands/extension.ts")).extensionCommand(),
  history: async () => (await import("./commands/history.ts")).historyCommand(),
  ignition: async () => (await import("./commands/ignition.ts")).ignitionCommand(),
  image: async () => (await import("./commands/image.ts")).imageCommand(),
  lab: async () => (await import("./commands/lab.ts")).labCommand(),
  machine: async () => (await import("./commands/machine.ts")).machineCommand(),
  operator: async () => (await import("./commands/operator.ts")).operatorCommand(),
  "operator-key": async () => (await import("./commands/operator-key.ts")).operatorKeyCommand(),
  prove: async () => (await import("./commands/prove.ts")).proveCommand(),
  release: async () => (await import("./commands/release.ts")).releaseCommand(),
  rollback: async () => (await import("./commands/rollback.ts")).rollbackCommand(),
  setup: async () => (await import("./commands/setup.ts")).setupCommand(),
  trust: async () => (await import("./commands/trust.ts")).trustCommand(),
  update: async () => (await import("./commands/update.ts")).updateCommand(),
  watch: async () => (await import("./commands/watch.ts")).watchCommand(),
  which: async () => (await import("./commands/which.ts")).whichCommand(),
  verity: async () => (await import("./commands/verity.ts")).verityCommand(),
};

/**
 * The command tree. Parsing, `--help` and the reference pages all come from it.
 *
 * @param only the first word that the user gives: for a command's name the others are not loaded, and for the version none,
 * since that would take as long as starting Node.js again
 */
export async function createProgram(only?: string): Promise<Command> {
  const named = Object.entries(COMMANDS).filter(([name]) => name === only);
  const needsOnlyNamed = named.length > 0 || only === "--version" || only === "-V";
  const loaders = needsOnlyNamed ? named : Object.entries(COMMANDS);
  const commands = await Promise.all(loaders.map(async ([, load]) => await load()));
  return rootCommand(commands).description("Immutable Kubernetes nodes that can be proved").version(ownVersion());
}

/** The bundle of what commands say about themselves: help and version. No command has this name. */
export const HELP_BUNDLE = "ashlar";

const HELP_WORDS: ReadonlySet<string> = new Set(["-h", "--help", "-V", "--version", "help"]);

/** Which bundle the launcher takes for these arguments; undefined for a word that is no command. */
export function bundleNameOf(args: readonly string[]): string | undefined {
  const [first = "--help"] = args;
  if (HELP_WORDS.has(first) || HELP_WORDS.has(args.at(-1) ?? "")) return HELP_BUNDLE;
  return Object.hasOwn(COMMANDS, first) ? first : undefined;
}
