import type { Facts, Installation, Unread } from "../snapshot/snapshot.ts";

/** What a comparison says, as it also stands in JSON. The nodes have said it of themselves. */
export type Comparison = {
  readonly nodes: readonly ComparedNode[];
  /** How many differ in files and packages; what is in effect is left aside. */
  readonly filesystems: number;
  /** In how many orders the packages came. */
  readonly orders: number;
  /** Whether what is in effect was compared: only when all nodes run. */
  readonly isStateCompared: boolean;
  /** Nodes that are alike in all that counts. The first is the one that the others are compared with. */
  readonly groups: readonly Group[];
  /** Between the first groups, each with each: in how many files, packages and settings they differ. */
  readonly distances: readonly (readonly number[])[];
  readonly noise: readonly Noise[];
};

export type ComparedNode = {
  readonly name: string;
  readonly host: string | undefined;
  readonly facts: Facts;
  readonly group: number;
  readonly isComplete: boolean;
  readonly unread: readonly Unread[];
  readonly missing: readonly string[];
  readonly isByRoot: boolean;
};

export type Group = { readonly nodes: readonly string[]; readonly causes: Causes };

/** Most telling first. */
export const CAUSES = ["packages", "unowned", "changed", "metadata", "configuration", "state", "unread"] as const;
export type Cause = (typeof CAUSES)[number];

/** `here` is the group's own, `there` the first group's; undefined where there is none. */
export type Causes = {
  readonly packages: readonly PackageDifference[];
  /** Files that no package has brought. */
  readonly unowned: readonly FileDifference[];
  /** Files of a package that is there in the same version, with another content. */
  readonly changed: readonly FileDifference[];
  /** Modes, owners, set-uid, capabilities, and where links lead. */
  readonly metadata: readonly FileDifference[];
  readonly configuration: readonly FileDifference[];
  readonly state: readonly StateDifference[];
  /** Not known to be the same. */
  readonly unread: readonly FileDifference[];
};

export type PackageDifference = {
  readonly name: string;
  readonly here: string | undefined;
  readonly there: string | undefined;
  /** The last that the group's first node has noted of it. */
  readonly since: Installation | undefined;
  /** How many files differ because of it. */
  readonly files: number;
};

export type FileDifference = {
  readonly path: string;
  readonly package: string | undefined;
  readonly here: FileForm | undefined;
  readonly there: FileForm | undefined;
};

export type FileForm = {
  readonly type: string;
  readonly sizeBytes: number;
  /** SHA-256, or in words why there is none. */
  readonly digest: string | undefined;
  readonly target: string | undefined;
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  readonly capabilities: string | undefined;
};

export type StateDifference = {
  readonly name: string;
  readonly here: string | undefined;
  readonly there: string | undefined;
};

/** What a rule has taken out: how many paths and names differed and were not counted. */
export type Noise = { readonly name: string; readonly reason: string; readonly ignored: number };
