import { AshlarError } from "@ashlar/base";
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
  proof: async () => (await import("./commands/proof.ts")).proofCommand(),
  prove: async () => (await import("./commands/prove.ts")).proveCommand(),
  release: async () => (await import("./commands/release.ts")).releaseCommand(),
  rollback: async () => (await import("./commands/rollback.ts")).rollbackCommand(),
  rollout: async () => (await import("./commands/rollout.ts")).rolloutCommand(),
  setup: async () => (await import("./commands/setup.ts")).setupCommand(),
  trust: async () => (await import("./commands/trust.ts")).trustCommand(),
  update: async () => (await import("./commands/update.ts")).updateCommand(),
  watch: async () => (await import("./commands/watch.ts")).watchCommand(),
  which: async () => (await import("./commands/which.ts")).whichCommand(),
  verity: async () => (await import("./commands/verity.ts")).verityCommand(),
};

/** Those that `kubectl ashlar` has, too: what there is to ask and to say where a cluster is at hand. */
const OF_KUBECTL: ReadonlySet<string> = new Set(["certificate", "completion", "explain", "proof", "rollout", "which"]);

/** By what name the user has called: kubectl finds the program as `kubectl-ashlar`, and the launcher says so. */
export type ProgramName = "ashlar" | "kubectl ashlar";

function calledAs(): ProgramName {
  return process.env["ASHLAR_CALLED_AS"] === "kubectl-ashlar" ? "kubectl ashlar" : "ashlar";
}

/**
 * The command tree. Parsing, `--help` and the reference pages all come from it.
 *
 * @param only the first word that the user gives: for a command's name the others are not loaded, and for the version none,
 * since that would take as long as starting Node.js again
 * @throws AshlarError `usage` for a command that only `ashlar` has
 */
export async function createProgram(only?: string, name: ProgramName = calledAs()): Promise<Command> {
  // The bundle that the launcher has taken has no other command, which could be told of.
  if (name !== "ashlar" && only !== undefined && Object.hasOwn(COMMANDS, only) && !OF_KUBECTL.has(only)) {
    throw new AshlarError("usage", `${name} has no command ${only}`, {
      hint: `it is one of ashlar: ashlar ${only} --help`,
    });
  }
  const all = Object.entries(COMMANDS).filter(([each]) => name === "ashlar" || OF_KUBECTL.has(each));
  const named = all.filter(([each]) => each === only);
  const needsOnlyNamed = named.length > 0 || only === "--version" || only === "-V";
  const loaders = needsOnlyNamed ? named : all;
  const commands = await Promise.all(loaders.map(async ([, load]) => await load()));
  const root = rootCommand(commands, name).version(ownVersion());
  if (name === "ashlar") return root.description("Immutable Kubernetes nodes that can be proved");
  return root
    .description("What is proved of the nodes of a cluster")
    .hook("preAction", (_, action) => askCluster(action));
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

const SOURCES = ["lab", "nodes", "fleet", "from", "certificate", "kubernetes"];

/** Who types `kubectl` means the cluster, unless something else is named. */
function askCluster(action: Command): void {
  const isOffered = action.options.some(({ long }) => long === "--kubernetes");
  if (isOffered && SOURCES.every((each) => action.getOptionValue(each) === undefined))
    action.setOptionValue("kubernetes", true);
}
