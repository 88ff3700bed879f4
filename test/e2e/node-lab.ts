import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before } from "node:test";
import type { FleetVerdict } from "@ashlar/identity";
import { type BootInput, type Lab, openLab, plantInputs, readBootInputs } from "@ashlar/lab";
import { ashlar, IMAGE_DIRECTORY, prove, removeLabOnSignal, ROOT } from "./world.ts";

export const NODE = "node-1";
/** What the node is made from. */
export const EXAMPLE: string = join(ROOT, "examples/node.bu");

const BOOT_TIMEOUT_MS = 25 * 60_000;

/** One node from the example's config, booted before the tests of a file and removed after them. */
export class NodeLab {
  readonly name: string;
  #lab: Lab | undefined;
  #inputs: readonly BootInput[] = [];

  constructor(name: string) {
    this.name = name;
    removeLabOnSignal(name);
    before(async () => await this.#up(), { timeout: BOOT_TIMEOUT_MS });
    after(async () => void (await ashlar("lab", "down", "--name", name)));
  }

  async #up(): Promise<void> {
    await ashlar("image", "build", "--version", "1.0.0", "--out", IMAGE_DIRECTORY);
    await ashlar("lab", "down", "--name", this.name);
    await ashlar("lab", "up", "--nodes", "1", "--image", IMAGE_DIRECTORY, "--config", EXAMPLE, "--name", this.name);
    this.#lab = await openLab(this.name);
    this.#inputs = (await readBootInputs()).flatMap((group) => group.inputs);
  }

  get lab(): Lab {
    if (this.#lab === undefined) throw new TypeError("a test runs after its lab was booted");
    return this.#lab;
  }

  /** What root can write on a running node, and must have no effect on the next boot. */
  get harmless(): readonly BootInput[] {
    return this.#inputs.filter(({ effect }) => effect !== undefined);
  }

  /** The same, of what must be named after it. */
  get measured(): readonly BootInput[] {
    return this.#inputs.filter(({ mismatch }) => mismatch !== undefined);
  }

  async root(script: string): Promise<{ readonly status: number; readonly output: string }> {
    return await this.lab.root(NODE, script);
  }

  async prove(...args: string[]): Promise<{ readonly status: number; readonly fleet: FleetVerdict }> {
    return await prove("--lab", this.name, ...args);
  }

  /** Plants what is harmless: what of it decides about the next boot is named before that, and what runs stays proven. */
  async assertPlantedIsNamed(): Promise<void> {
    await plantInputs(this.lab, NODE, this.harmless);
    const { status, fleet } = await this.prove();
    assert.deepEqual([status, fleet.verdict, differencesOf(fleet)], [1, "mismatch", []]);
    const found = nextBootDifferencesOf(fleet).join("\n");
    assert.match(found, /^EFI variable SystemdOptions: none \/ .*systemd\.run=/mu);
    for (const name of ["FactoryReset", "HibernateLocation", "MokListRT"]) {
      assert.match(found, new RegExp(`^EFI variable ${name}: none / `, "mu"));
    }
  }
}

/** In what the first node runs: "what: expected / found". */
export function differencesOf({ nodes }: FleetVerdict): string[] {
  return (nodes[0]?.differences ?? []).map(({ what, expected, found }) => `${what}: ${expected} / ${found}`);
}

/** In what it boots next. */
export function nextBootDifferencesOf({ nodes }: FleetVerdict): string[] {
  return (nodes[0]?.nextBoot?.differences ?? []).map(({ what, expected, found }) => `${what}: ${expected} / ${found}`);
}
