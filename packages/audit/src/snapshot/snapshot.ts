/** What one node said of itself. A path begins with `/`; bytes that are not UTF-8 stand in it as `\xff`, a backslash as `\\`. */
export type Snapshot = {
  /** As the node calls itself: not a name to find it by. */
  readonly host: string | undefined;
  readonly facts: Facts;
  readonly files: readonly SnapshotFile[];
  /** By name, as `libc6:amd64`. */
  readonly packages: ReadonlyMap<string, string>;
  /** Which package has brought which paths, with links at the top of the tree followed, as /bin to /usr/bin. */
  readonly owned: readonly PackageFiles[];
  /** Files of packages that are there to be changed. */
  readonly configurationFiles: ReadonlySet<string>;
  readonly installations: readonly Installation[];
  /** What is in effect, as `sysctl:kernel/panic`; empty for a tree that does not run. */
  readonly state: ReadonlyMap<string, string>;
  /** Paths of which this snapshot does not say all. */
  readonly unread: readonly Unread[];
  /** Programs that would have told more. */
  readonly missing: readonly string[];
  /** Whether root collected it. Others cannot see all. */
  readonly isByRoot: boolean;
};

/** What people call a node by. */
export type Facts = {
  readonly system: string | undefined;
  readonly kernel: string | undefined;
  readonly kubelet: string | undefined;
};

export type SnapshotFile = {
  readonly path: string;
  readonly type: FileType;
  /** Permissions with set-uid and its like, in octal digits. */
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  readonly sizeBytes: number;
  /** Of a link. */
  readonly target: string;
  /** SHA-256 of a regular file; undefined for one that was too large or could not be read. */
  readonly digest: string | undefined;
  /** Of a file that was too large to be read: seconds since 1970, as the node writes them. */
  readonly modified: string | undefined;
  readonly capabilities: string | undefined;
};

export type FileType =
  | "file"
  | "directory"
  | "link"
  | "fifo"
  | "socket"
  | "block device"
  | "character device"
  | "unknown";

export type PackageFiles = {
  readonly owner: string;
  readonly paths: readonly string[];
  /** Those of them that are there to be changed. */
  readonly configuration: readonly string[];
};

export type Unread = { readonly path: string; readonly why: UnreadReason };
/**
 * A file system that is mounted there is not looked into. What was unreadable the collector was not allowed to read, or it was gone.
 * Of what changed, the content may be neither the one before nor the one after.
 */
export const UNREAD_REASONS = ["mount", "unreadable", "changed while it was read"] as const;
export type UnreadReason = (typeof UNREAD_REASONS)[number];

export type Installation = {
  /** As the node's clock had it. */
  readonly at: string;
  readonly action: "install" | "upgrade" | "remove";
  readonly name: string;
};

export const SNAPSHOT_MAGIC = "ashlar-snapshot/1";
/** A node of a hundred thousand files says some 30 MB. */
export const MAX_SNAPSHOT_BYTES: number = 1024 ** 3;
export const MAX_FILES = 4_000_000;
/** Linux has 4096 for a path (PATH_MAX); a tree may be deeper than that. */
export const MAX_PATH_BYTES = 65_536;
/** Of one text: the digests of all files, and the file lists of all packages, are the longest. */
export const MAX_TEXT_BYTES: number = 512 * 1024 * 1024;
/** Files that are larger are told, not read (collect.sh has the same number). */
export const MAX_HASHED_BYTES: number = 16 * 1024 ** 3;
