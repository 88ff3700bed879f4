import { AshlarError } from "@ashlar/base";
import { parseArguments } from "@ashlar/host/terminal";
import { ACT_NAMES, ACT_SUMMARIES, type ActName } from "./act-names.ts";

export type DemoOptions = {
  /** What to do: play, or print something and end. */
  readonly task: "play" | "help" | "list";
  /** In the order of the whole; `provision` is not among them when a kept lab is played on. */
  readonly acts: readonly ActName[];
  /** Plays on the lab that an earlier demo has kept. */
  readonly resumes: boolean;
  /** Leaves the lab running at the end, whatever the end is. */
  readonly keep: boolean;
  /** Prints the report as JSON on standard output, and everything else on standard error. */
  readonly json: boolean;
  /** The nodes are members of a cluster, with a workload that a client asks all the time. */
  readonly cluster: boolean;
  /** The lab's name. */
  readonly lab: string;
};

/** @throws AshlarError `usage` */
export function parseOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArguments({ args: [...args], options: OPTIONS }, "npm run demo -- --help");
  const only = values.only === undefined ? undefined : parseAct("--only", values.only);
  const from = values.from === undefined ? undefined : parseAct("--from", values.from);
  const task = values.help === true ? "help" : values.list === true ? "list" : "play";
  const resumes = from !== undefined && from !== "provision";
  if (resumes && only !== undefined && ACT_NAMES.indexOf(only) < ACT_NAMES.indexOf(from)) {
    throw new AshlarError("usage", `expected ${from} or a later act after --only, found ${only}`, {
      hint: "the acts and their order: npm run demo -- --list",
    });
  }
  const rest = ACT_NAMES.slice(from === undefined ? 0 : ACT_NAMES.indexOf(from));
  const acts = only === undefined ? rest : rest.filter((name) => name === only || name === "provision");
  return {
    task,
    acts,
    resumes,
    keep: values.keep === true,
    json: values.json === true,
    cluster: values.cluster === true,
    lab: values.name ?? "demo",
  };
}

/** As `parseArgs` wants them. */
const OPTIONS = {
  cluster: { type: "boolean" },
  from: { type: "string" },
  help: { type: "boolean", short: "h" },
  json: { type: "boolean" },
  keep: { type: "boolean" },
  list: { type: "boolean" },
  name: { type: "string" },
  only: { type: "string" },
} as const;

function parseAct(option: string, text: string): ActName {
  const name = ACT_NAMES.find((each) => each === text);
  if (name !== undefined) return name;
  throw new AshlarError("usage", `expected ${ACT_NAMES.join(", ")} after ${option}, found ${text}`);
}

export const HELP: string = `Usage: npm run demo -- [options]

Builds an image, boots two nodes from one Butane file, proves them, updates them and attacks them, by running ./ashlar as a
user does. Writes out/demo/report.html, report.json and the evidence.

Options:
  --only <act>   provision two nodes, and then play only this act
  --from <act>   play this act and those after it on the lab that an earlier demo has kept
  --keep         leave the lab running at the end, also after Ctrl-C or an error
  --name <lab>   the lab's name (default: demo)
  --cluster      the nodes join a Kubernetes cluster, and a client asks their workload ten times a second; of the attacks,
                 only a privileged pod: the others are the same on any node
  --list         print the acts in their order
  --json         print the report on standard output, everything else on standard error
  -h, --help     print this

Acts:
${listActs()}

Without --keep the lab goes down at the end, whatever the end is: also after Ctrl-C. With --keep it runs on, and the demo says
how to end it.

Exit status: 0 every act ended as it must; 1 one did not; 130 it was interrupted.

Examples:
  npm run demo
  npm run demo -- --only attacks
  npm run demo -- --only provision --keep
  npm run demo -- --from kubelet --keep
  npm run demo -- --from attacks --only attacks
  npm run demo -- --cluster --only update
  npm run --silent demo -- --json >report.json`;

/** One line for each act. */
export function listActs(): string {
  return ACT_NAMES.map((name) => `  ${name.padEnd(9)}  ${ACT_SUMMARIES[name]}`).join("\n");
}
