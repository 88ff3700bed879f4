import { compareVersions } from "@ashlar/formats";

/** Whose systemd-boot this node has put on its ESP last. */
export type LoaderRecord = { readonly version: string; readonly sha256: string };

export type LoaderFacts = {
  /** The running release, with the digest of its systemd-boot. */
  readonly own: LoaderRecord;
  /** Undefined when none was ever put there, or nobody knows. */
  readonly record: LoaderRecord | undefined;
  /** What is on the ESP; null where there is no such file. */
  readonly copies: readonly { readonly path: string; readonly sha256: string | null }[];
};

/**
 * Which copies the running release's systemd-boot takes the place of: all that are not its own, but for those of a newer
 * release that was rolled back. A release that brings an older systemd-boot on purpose is newer itself.
 */
export function copiesToReplace({ own, record, copies }: LoaderFacts): string[] {
  const isKept = record !== undefined && compareVersions(record.version, own.version) > 0;
  return copies
    .filter(({ sha256 }) => sha256 !== own.sha256 && !(isKept && sha256 === record.sha256))
    .map(({ path }) => path);
}
