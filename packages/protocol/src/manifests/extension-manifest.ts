import type { ManifestFile, ManifestPackage } from "./manifest.ts";

export const EXTENSION_MANIFEST_SCHEMA = "ashlar.extension/v1";

/** systemd-sysext(8) extends /usr (and /opt), systemd-confext(8) /etc. */
export const EXTENSION_KINDS = ["sysext", "confext"] as const;
export type ExtensionKind = (typeof EXTENSION_KINDS)[number];

/**
 * - `shipped`: comes with the base image's releases, made by the same people.
 * - `opt-in`: made by the same people, merged where a node's configuration asks for it.
 * - `community`: made by others, reviewed and signed by this repository's owner.
 */
export const EXTENSION_TIERS = ["shipped", "opt-in", "community"] as const;
export type ExtensionTier = (typeof EXTENSION_TIERS)[number];

/** What an extension image is and holds. All digests are lower-case hexadecimal. */
export type ExtensionManifest = {
  readonly schema: typeof EXTENSION_MANIFEST_SCHEMA;
  readonly kind: ExtensionKind;
  readonly name: string;
  /** For example v1.33.2; also IMAGE_VERSION in the extension-release file inside, so the signature covers it. */
  readonly version: string;
  readonly architecture: "x86-64";
  readonly tier: ExtensionTier;
  /** What the extension-release file asks of the host: ID (or `_any`), and SYSEXT_LEVEL or CONFEXT_LEVEL if any. */
  readonly host: { readonly id: string; readonly level: string | null };
  readonly image: {
    readonly sizeBytes: number;
    readonly sha256: string;
    /** Of the data partition's verity tree: what the signature covers and the node measures. */
    readonly rootHash: string;
    /** SHA-256 of the signing certificate as DER. */
    readonly certificateSha256: string;
  };
  readonly behaviour: ExtensionBehaviour;
  /** Debian packages or Go modules that it was made of, sorted by name. */
  readonly packages: readonly ManifestPackage[];
  /** Every file and symbolic link with absolute paths (below /usr, /opt or /etc), sorted by path. */
  readonly files: readonly ManifestFile[];
};

/**
 * What a node does when it merges the extension or changes its version. Inside the image, and so signed, as
 * `/usr/lib/ashlar/extensions/NAME.json`, for a confext `/etc/ashlar/extensions/NAME.json`; absent when all is empty.
 */
export type ExtensionBehaviour = {
  /** Files of the base image that this one may replace. Any other that it would hide makes the image unacceptable. */
  readonly replaces: readonly string[];
  /** Units to restart or reload after a change of version, when they are active. */
  readonly restart: readonly string[];
  readonly reload: readonly string[];
  /** Units to start when the extension is merged. */
  readonly start: readonly string[];
  /** An executable inside, below /usr/lib/ashlar/health.d: its failure after an update brings the former version back. */
  readonly healthCheck: string | null;
};

export const NO_BEHAVIOUR: ExtensionBehaviour = { replaces: [], restart: [], reload: [], start: [], healthCheck: null };

/**
 * Of IMAGE_VERSION and file names; it must not hold what separates names from versions in `NAME-VERSION-x86-64.raw`. A plus
 * sign, as in k3s's `v1.33.4+k3s1`, parts components like any other sign when versions are compared. Releases have none:
 * in the name of a boot entry it begins the count of its trials.
 */
export const EXTENSION_VERSION_PATTERN: RegExp = /^v?[0-9][0-9A-Za-z.~+]{0,62}$/u;

/** `kubernetes-v1.33.2-x86-64.raw`, as in systemd-sysupdate's `NAME-@v-%a.raw`. */
export function extensionFileName({ name, version }: { readonly name: string; readonly version: string }): string {
  return `${name}-${version}-x86-64.raw`;
}
