/** One number that the project promises, and how it is measured: what a file `test/bench/NAME.bench.ts` exports. */
export type Bench = {
  /** What is measured, for example "dm-verity tree of the usr image". */
  readonly name: string;
  /** The peer that does the same work in the same run, with its options; "-" where there is none. */
  readonly against: string;
  /** The number to reach. */
  readonly reach: Reach;
  /** How to measure it again by hand. */
  readonly command: string;
  /** `count`: how often something is done, when the command line says it after the bench's name. */
  readonly run: (count?: number) => Promise<BenchResult>;
};

export type Reach = {
  readonly comparison: "at least" | "at most";
  readonly value: number;
  readonly unit: "times" | "MB" | "ms" | "of them";
};

export type BenchResult = {
  /** In the unit of the reach. */
  readonly value: number;
  /** What was measured, for example "0.41 s, veritysetup 0.79 s (medians of 5)". */
  readonly detail: string;
};

export function isReached({ comparison, value }: Reach, measured: number): boolean {
  return comparison === "at least" ? measured >= value : measured <= value;
}
