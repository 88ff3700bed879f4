/** Something about an image that is not as it was released. */
export type ImageProblem = {
  /** The whole finding in one sentence: what, expected, found. */
  readonly message: string;
  /** The first damaged block of the data, where that is the problem. */
  readonly block?: DamagedBlock;
};

export type DamagedBlock = {
  /** Counts from the beginning of /usr's file system. */
  readonly number: number;
  readonly offsetBytes: number;
  /** The files whose data or metadata the block holds; empty when that cannot be told. */
  readonly files: readonly string[];
};

/** Compares one fact; an empty list when it is as expected. */
export function compare(what: string, expected: string | number, found: string | number): ImageProblem[] {
  return expected === found ? [] : [{ message: `${what}: expected ${expected}, found ${found}` }];
}
