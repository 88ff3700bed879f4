import { join } from "node:path";
import type { NamedVerdict } from "@ashlar/identity";
import type { UpdateStatus } from "@ashlar/protocol";
import { type Lab, openLab } from "@ashlar/lab";
import type { Releases } from "./update-releases.ts";
import { ashlar, ashlarWithStatus, prove, ROOT } from "./world.ts";

export const NODE = "node-1";

/** What `ashlar update --json` says about one node. */
export type Turn = {
  readonly outcome: "updated" | "already" | "staged" | "stopped" | "untouched";
  readonly from: string | null;
  readonly proven: string | null;
  readonly seconds: number;
  readonly bytes: { readonly total: number; readonly copied: number; readonly fetched: number } | null;
  readonly reason: { readonly code: string; readonly message: string } | null;
  readonly failure: { readonly version: string; readonly check: string; readonly message: string } | null;
};

type Output = { readonly status: number; readonly output: string };

/** A node, or several, and a repository that is served to it. */
export class UpdateLab {
  readonly name: string;
  readonly lab: Lab;

  private constructor(lab: Lab) {
    this.name = lab.name;
    this.lab = lab;
  }

  static async up(
    name: string,
    { keys, image }: Releases,
    version: string,
    repository: string,
    nodes = 1,
  ): Promise<UpdateLab> {
    await ashlar("lab", "down", "--name", name);
    const place = [
      "--name",
      name,
      "--nodes",
      String(nodes),
      "--image",
      image(version),
      "--repo",
      repository,
      "--keys",
      keys,
    ];
    await ashlar("lab", "up", ...place, "--config", join(ROOT, "examples/node.bu"));
    return new UpdateLab(await openLab(name));
  }

  /** The node's raw disk. */
  get disk(): string {
    return this.lab.nodes[0]?.diskPath ?? "";
  }

  async down(): Promise<void> {
    await ashlar("lab", "down", "--name", this.name);
  }

  /** Runs a shell script on the node as root. */
  async root(script: string): Promise<Output> {
    return await this.lab.root(NODE, script);
  }

  /** The same, for a script that must succeed. */
  async mustRun(script: string): Promise<string> {
    const { status, output } = await this.root(script);
    if (status === 0) return output;
    throw new Error(`${this.name}: ${script}: status ${status}: ${output}`);
  }

  async status(): Promise<UpdateStatus> {
    return JSON.parse(await this.mustRun("ashlar agent status --json"));
  }

  /** The names of the boot entries, without `ashlar_` and `.efi`. */
  async entries(): Promise<string[]> {
    const names = await this.mustRun("ls /boot/EFI/Linux");
    return names
      .split("\n")
      .map((name) => name.replace(/^ashlar_(?<id>.*)\.efi$/u, "$<id>"))
      .toSorted();
  }

  /** Gives an order on the node itself, as root, and waits for its end. */
  async order(...args: string[]): Promise<Output> {
    return await this.root(`ashlar agent ${args.join(" ")}`);
  }

  async prove(...args: string[]): Promise<{ readonly status: number; readonly node: NamedVerdict }> {
    const { status, fleet } = await prove("--lab", this.name, ...args);
    const [node] = fleet.nodes;
    if (node === undefined) throw new Error(`${this.name}: no node was proved`);
    return { status, node };
  }

  /** Runs `ashlar update` or `ashlar rollback`, and shows what it says. */
  async turn(command: "update" | "rollback", ...args: string[]): Promise<Turn> {
    const place = command === "update" ? ["--lab", this.name] : [NODE, "--lab", this.name];
    const { status, stdout, stderr } = await ashlarWithStatus(command, ...place, ...args, "--json");
    const text = stdout.toString("utf8");
    if (text === "") throw new Error(`ashlar ${command} ended with status ${status}: ${stderr}`);
    const result: { nodes: [Turn] } = JSON.parse(text);
    const [turn] = result.nodes;
    const reason = turn.reason === null ? "" : ` (${turn.reason.code}: ${turn.reason.message})`;
    this.say(
      `${[command, ...args].join(" ")}: ${turn.outcome}, ${turn.from} -> ${turn.proven}, ${turn.seconds} s${reason}`,
    );
    return turn;
  }

  say(line: string): void {
    console.log(`  ${this.name}: ${line}`);
  }
}
