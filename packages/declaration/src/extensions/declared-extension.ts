import type { ExtensionKind, ExtensionTier } from "@ashlar/protocol";

export type DeclaredExtension = {
  readonly kind: ExtensionKind;
  readonly name: string;
  /** The versions that are right: one, or a pattern such as `v1.33.*`. */
  readonly pattern: string;
  /** Null: not declared. */
  readonly tier: ExtensionTier | null;
  readonly updates: "automatic" | "manual";
  readonly source: ExtensionSource;
};

export type ExtensionSource =
  | { readonly type: "repository" }
  | {
      readonly type: "file";
      /** The image that the link names: what is merged first. */
      readonly path: string;
      /** Where the config has it from, and its digest there; null when the config does not say. */
      readonly url: string | null;
      /** As Ignition has it: `sha256-` or `sha512-` and hexadecimal digits. */
      readonly hash: string | null;
      /** Where a transfer file has newer versions from; null without one. */
      readonly updatesUrl: string | null;
    }
  /** Only a transfer file: the extension comes when its server first offers it, and is no less right when absent. */
  | { readonly type: "track"; readonly updatesUrl: string };
