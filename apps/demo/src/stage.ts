import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { AshlarError } from "@ashlar/base";
import { throwIfInterrupted } from "@ashlar/host";
import { printLines, reportLines } from "@ashlar/host/terminal";
import { type FleetVerdict, levelWithNextBoot, parseFleetVerdict } from "@ashlar/identity";
import { type Lab, openLab } from "@ashlar/lab";

/** The root of the checkout. */
const ROOT: string = fileURLToPath(new URL("../../..", import.meta.url));
/** What a command of ours may take to undo what it has begun: a machine that shuts down may say nothing for 120 s. */
const UNDO_MS = 180_000;

/** What an act did and what came of it. */
export type Outcome = {
  /** One sentence: what was tried. */
  readonly attempt: string;
  /** One sentence: what happened. */
  readonly result: string;
  /** It ended as it must. */
  readonly held: boolean;
  /** Of an attack: what it could do, at worst for how long. */
  readonly reach?: string;
  /** Of an attack: what stopped it or named it. */
  readonly stoppedBy?: string;
};

/** What the demo reads of `ashlar update --json`. */
export type Update = {
  readonly status: number;
  readonly nodes: readonly {
    readonly bytes: { readonly total: number; readonly fetched: number } | null;
    readonly reason: { readonly message: string } | null;
    readonly failure: { readonly version: string; readonly check: string; readonly message: string } | null;
  }[];
};

export type Proof = { readonly status: number; readonly fleet: FleetVerdict };

/** All nodes are proven to be what was declared, and none is found to boot anything else next. */
export function isProven({ nodes }: FleetVerdict): boolean {
  return nodes.length > 0 && nodes.every((node) => levelWithNextBoot(node) === "proven");
}

export type StageOptions = {
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Before each line, when others are on this stage at the same time. */
  readonly label?: string;
  /** Keeps standard output free: everything is said on standard error. */
  readonly quiet: boolean;
  /** Called with each verdict on the nodes of a lab, as they were just then. */
  readonly onVerdict: (fleet: FleetVerdict) => void;
};

/**
 * Where the demo plays: it runs the same `./ashlar` that a user runs, showing each command, and looks inside nodes through
 * their lab. Once it is interrupted it begins nothing more, but for {@link takeDown}.
 */
export class Stage {
  readonly #options: StageOptions;

  constructor(options: StageOptions) {
    this.#options = options;
  }

  get signal(): AbortSignal {
    return this.#options.signal;
  }

  path(...names: string[]): string {
    return join(this.#options.directory, ...names);
  }

  say(line: string): void {
    const { label, quiet } = this.#options;
    const lines = line.split("\n").map((each) => (label === undefined ? each : `${label.padEnd(7)} | ${each}`));
    (quiet ? reportLines : printLines)(lines);
  }

  /** The same stage for what is played at the same time as something else: each of its lines begins with the label. */
  beside(label: string): Stage {
    return new Stage({ ...this.#options, label });
  }

  /** Waits. */
  async pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.signal }).catch(() => undefined);
    throwIfInterrupted(this.signal);
  }

  /** Does what a demo that plays on need not do again: nothing, when it has been done to its end. */
  async once(name: string, work: () => Promise<void>): Promise<void> {
    const mark = this.path("done", name);
    if (existsSync(mark)) return;
    await work();
    await mkdir(dirname(mark), { recursive: true });
    await writeFile(mark, "");
  }

  /** Runs `./ashlar`; its output goes to the terminal. Gives its exit status. */
  async ashlar(...args: string[]): Promise<number> {
    return (await this.#run(args, "show")).status;
  }

  /** Runs `./ashlar`, which must succeed. */
  async mustRun(...args: string[]): Promise<void> {
    const status = await this.ashlar(...args);
    if (status !== 0)
      throw new AshlarError("failed", `ashlar ${args.slice(0, 2).join(" ")} ended with status ${status}`);
  }

  /** Removes a lab, also after an interruption: a second Ctrl-C does not reach the command, which is in a group of its own. */
  async takeDown(lab: string): Promise<void> {
    const args = ["lab", "down", "--name", lab];
    this.#showCommand(args);
    const child = spawn(join(ROOT, "ashlar"), args, { stdio: ["ignore", 2, 2], cwd: ROOT, detached: true });
    const [code]: unknown[] = await once(child, "close");
    if (code !== 0) {
      throw new AshlarError("failed", `the lab ${lab} was not taken down`, {
        hint: `./ashlar lab down --name ${lab}`,
      });
    }
  }

  /** Runs `./ashlar prove ... --json` and shows the verdict in a few lines. */
  async prove(...args: string[]): Promise<Proof> {
    const { status, output } = await this.#run(["prove", ...args, "--json"], "take");
    if (output.trim() === "") throw new AshlarError("failed", `ashlar prove printed no verdict (status ${status})`);
    const fleet = parseFleetVerdict(output);
    for (const { name, level, identity, differences, nextBoot } of fleet.nodes) {
      const [first] = [...differences, ...(nextBoot?.differences ?? [])];
      const what = first === undefined ? "" : `  ${first.what}: expected ${first.expected}, found ${first.found}`;
      const next = `next boot ${nextBoot?.level ?? "-"}`;
      this.say(
        `  ${name.padEnd(8)} ${level.padEnd(9)} ${next.padEnd(19)} ${(identity ?? "-").slice(0, 12).padEnd(12)}${what}`,
      );
    }
    this.say(`  verdict: ${fleet.verdict}, ${fleet.identities} ${fleet.identities === 1 ? "identity" : "identities"}`);
    return { status, fleet };
  }

  /** As above, of all nodes of a lab: one point of the report's timeline. */
  async proveLab(lab: string, ...args: string[]): Promise<Proof> {
    const proof = await this.prove("--lab", lab, ...args);
    this.#options.onVerdict(proof.fleet);
    return proof;
  }

  /** Runs `./ashlar update ... --json`. */
  async update(...args: string[]): Promise<Update> {
    const { status, output } = await this.#run(["update", ...args, "--json"], "take");
    if (output.trim() === "") throw new AshlarError("failed", `ashlar update printed no result (status ${status})`);
    // As above: the product's own schema.
    const { nodes }: Pick<Update, "nodes"> = JSON.parse(output);
    return { status, nodes };
  }

  async lab(name: string): Promise<Lab> {
    return await openLab(name);
  }

  /** Runs a shell script on a node as root. */
  async onNode(lab: Lab, node: string, script: string): Promise<{ readonly status: number; readonly output: string }> {
    throwIfInterrupted(this.signal);
    this.say(`  ${node}# ${script.length > 100 ? `${script.slice(0, 97).replaceAll(/\s+/gu, " ")}...` : script}`);
    return await lab.root(node, script, this.signal);
  }

  #showCommand(args: readonly string[]): void {
    this.say(`  $ ./ashlar ${args.map((arg) => (arg.startsWith("/") ? relative(ROOT, arg) : arg)).join(" ")}`);
  }

  async #run(args: readonly string[], output: "show" | "take"): Promise<{ status: number; output: string }> {
    throwIfInterrupted(this.signal);
    this.#showCommand(args);
    const { label, quiet } = this.#options;
    const shown = label === undefined ? (quiet ? 2 : 1) : "pipe";
    const child = spawn(join(ROOT, "ashlar"), args, {
      stdio: ["ignore", output === "take" ? "pipe" : shown, label === undefined ? 2 : "pipe"],
      cwd: ROOT,
      detached: true,
    });
    const abort = (): void => {
      signalGroup(child, "SIGINT");
      setTimeout(() => signalGroup(child, "SIGKILL"), UNDO_MS).unref();
    };
    this.signal.addEventListener("abort", abort, { once: true });
    let text = "";
    if (output === "take") child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    else if (child.stdout !== null) createInterface(child.stdout).on("line", (line) => this.say(line));
    if (child.stderr !== null) createInterface(child.stderr).on("line", (line) => this.say(line));
    const [code]: unknown[] = await once(child, "close");
    this.signal.removeEventListener("abort", abort);
    throwIfInterrupted(this.signal);
    return { status: typeof code === "number" ? code : 128, output: text };
  }
}

/** As Ctrl-C does it: a command and all that it runs, but for a lab's machines, which are in sessions of their own. */
function signalGroup({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // It ended in between.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
