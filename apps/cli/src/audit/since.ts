import type { KeyObject } from "node:crypto";
import type { Causes, NoiseRule, Snapshot, SnapshotReader } from "@ashlar/audit";
import { firstOf } from "@ashlar/base";
import { problemOf, readSnapshot, type FailedNode, type SnapshotPath } from "./read-nodes.ts";
import { keptSnapshots, type KeptSnapshots } from "./signed-snapshots.ts";

const MAX_NAMES = 12;

/** How nodes differ from their own earlier snapshots. */
export type Since = {
  readonly directory: string;
  readonly changed: readonly { readonly name: string; readonly causes: Causes }[];
  readonly unchanged: readonly string[];
  /** Of which the earlier snapshot does not have all. */
  readonly incomplete: readonly string[];
  /** Of which there is no earlier snapshot. */
  readonly added: readonly string[];
  /** Of which there is only an earlier snapshot. */
  readonly gone: readonly string[];
  /** Of which one of the two could not be read. */
  readonly failed: readonly FailedNode[];
};

/** Compares each node with its own earlier snapshot, while the one of now is there. */
export class SinceComparison {
  readonly #directory: string;
  readonly #earlier: ReadonlyMap<string, SnapshotPath>;
  readonly #rules: readonly NoiseRule[];
  readonly #changed: { readonly name: string; readonly causes: Causes }[] = [];
  readonly #unchanged: string[] = [];
  readonly #incomplete: string[] = [];
  readonly #failed: FailedNode[];

  private constructor(directory: string, { files, missing }: KeptSnapshots, rules: readonly NoiseRule[]) {
    this.#directory = directory;
    this.#earlier = new Map(files.map((each) => [each.name, each]));
    this.#failed = [...missing];
    this.#rules = rules;
  }

  /**
   * @param publicKey whose signature the earlier snapshots have to have
   * @throws AshlarError as `keptSnapshots`
   */
  static async open(
    directory: string,
    rules: readonly NoiseRule[],
    publicKey: KeyObject | undefined,
  ): Promise<SinceComparison> {
    return new SinceComparison(directory, await keptSnapshots(directory, publicKey), rules);
  }

  async add(name: string, now: Snapshot, reader: SnapshotReader): Promise<void> {
    const earlier = this.#earlier.get(name);
    if (earlier === undefined) return;
    const { changesSince } = await import("@ashlar/audit");
    try {
      const { causes, wasComplete } = changesSince(await readSnapshot(reader, earlier), now, this.#rules);
      if (!wasComplete) this.#incomplete.push(name);
      if (causes === undefined) this.#unchanged.push(name);
      else this.#changed.push({ name, causes });
    } catch (error) {
      this.#failed.push({ name, problem: problemOf(error) });
    }
  }

  /** @param failed nodes whose snapshots of now could not be read */
  result(now: readonly SnapshotPath[], failed: readonly FailedNode[]): Since {
    const names = new Set(now.map(({ name }) => name));
    return {
      directory: this.#directory,
      changed: this.#changed,
      unchanged: this.#unchanged,
      incomplete: this.#incomplete,
      added: [...names].filter((name) => !this.#earlier.has(name)),
      gone: [...this.#earlier.keys()].filter((name) => !names.has(name)),
      failed: [...failed.filter(({ name }) => this.#earlier.has(name)), ...this.#failed],
    };
  }
}

/** What of it could not be compared, in words. */
export function sinceGaps({ added, gone, incomplete, failed }: Since): string[] {
  return [
    ...(added.length > 0 ? [`not there before: ${firstOf(added, MAX_NAMES)}`] : []),
    ...(gone.length > 0 ? [`only there before: ${firstOf(gone, MAX_NAMES)}`] : []),
    ...(incomplete.length > 0 ? [`not complete before: ${firstOf(incomplete, MAX_NAMES)}`] : []),
    ...failed.map(({ name, problem }) => `not compared: ${name}: ${problem}`),
  ];
}
