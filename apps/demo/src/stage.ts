import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { AshlarError } from "@ashlar/base";
import { printLines } from "@ashlar/host/terminal";
import type { FleetVerdict } from "@ashlar/identity";
import { type Lab, openLab } from "@ashlar/lab";

/** The root of the checkout. */
const ROOT: string = fileURLToPath(new URL("../../..", import.meta.url));

/** What an act did and what came of it. */
export type Outcome = {
  /** One sentence: what was tried. */
  readonly attempt: string;
  /** One sentence: what happened. */
  readonly result: string;
  /** It ended as it must. */
  readonly held: boolean;
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

/**
 * Where the demo plays: it runs the same `./ashlar` that a user runs, showing each command, and looks inside nodes through
 * their lab.
 */
export class Stage {
  readonly directory: string;
  readonly #signal: AbortSignal;

  constructor(directory: string, signal: AbortSignal) {
    this.directory = directory;
    this.#signal = signal;
  }

  path(...names: string[]): string {
    return join(this.directory, ...names);
  }

  say(line: string): void {
    printLines(line.split("\n"));
  }

  /** Runs `./ashlar`; its output goes to the terminal. Gives its exit status. */
  async ashlar(...args: string[]): Promise<number> {
    return (await this.#run(args, "inherit")).status;
  }

  /** Runs `./ashlar`, which must succeed. */
  async mustRun(...args: string[]): Promise<void> {
    const status = await this.ashlar(...args);
    if (status !== 0)
      throw new AshlarError("failed", `ashlar ${args.slice(0, 2).join(" ")} ended with status ${status}`);
  }

  /** Runs `./ashlar prove ... --json` and shows the verdict in a few lines. */
  async prove(...args: string[]): Promise<Proof> {
    const { status, output } = await this.#run(["prove", ...args, "--json"], "pipe");
    if (output.trim() === "") throw new AshlarError("failed", `ashlar prove printed no verdict (status ${status})`);
    // The product's own output, in the schema that its tests hold it to.
    const fleet: FleetVerdict = JSON.parse(output);
    for (const node of fleet.nodes) {
      const [first] = node.differences;
      const what = first === undefined ? "" : `  ${first.what}: expected ${first.expected}, found ${first.found}`;
      this.say(
        `  ${node.name.padEnd(8)} ${node.level.padEnd(9)} ${(node.identity ?? "-").slice(0, 12).padEnd(12)}${what}`,
      );
    }
    this.say(`  verdict: ${fleet.verdict}, ${fleet.identities} ${fleet.identities === 1 ? "identity" : "identities"}`);
    return { status, fleet };
  }

  /** Runs `./ashlar update ... --json`. */
  async update(...args: string[]): Promise<Update> {
    const { status, output } = await this.#run(["update", ...args, "--json"], "pipe");
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
    this.say(`  ${node}# ${script.length > 100 ? `${script.slice(0, 97).replaceAll(/\s+/gu, " ")}...` : script}`);
    return await lab.root(node, script, this.#signal);
  }

  async #run(args: readonly string[], output: "inherit" | "pipe"): Promise<{ status: number; output: string }> {
    this.say(`  $ ./ashlar ${args.map((arg) => (arg.startsWith("/") ? relative(ROOT, arg) : arg)).join(" ")}`);
    const child = spawn(join(ROOT, "ashlar"), args, { stdio: ["ignore", output, "inherit"], cwd: ROOT });
    const abort = (): void => void child.kill("SIGINT");
    this.#signal.addEventListener("abort", abort, { once: true });
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    const [code]: unknown[] = await once(child, "close");
    this.#signal.removeEventListener("abort", abort);
    if (this.#signal.aborted) throw new AshlarError("interrupted", "the demo was interrupted");
    return { status: typeof code === "number" ? code : 128, output: text };
  }
}
