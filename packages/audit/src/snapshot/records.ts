/** The records as they came. */
export type Records = {
  readonly texts: Map<string, string>;
  readonly files: RawFile[];
  /** By path. */
  readonly digests: Map<string, string>;
  readonly unread: string[];
  readonly changed: string[];
};

export type RawFile = {
  readonly type: string;
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  readonly sizeBytes: number;
  readonly modified: string;
  /** Device and number: the names of one file have the same. */
  readonly inode: string;
  readonly path: string;
  readonly target: string;
};
