import type { ExtensionBehaviour, ExtensionKind, ExtensionTier } from "@ashlar/protocol";

/** What `recipes/NAME/recipe.yaml` says. Beside it, the folder `files/` holds what goes into the extension as it is. */
export type Recipe = {
  /** Also the folder's name. */
  readonly name: string;
  readonly summary: string;
  readonly kind: ExtensionKind;
  readonly tier: ExtensionTier;
  readonly version: RecipeVersion;
  /** The versions that a node may take as updates of each other, for example `v1.33.*`. */
  readonly updates: string;
  /** Debian packages, with what they need and the base lacks. */
  readonly debs: readonly string[];
  /** Paths (globs) of their files that a node has no use for. */
  readonly leaveOut: readonly string[];
  /** Tried first where there is something else to make the same files from: all of them, or none. */
  readonly downloads: readonly RecipeDownload[];
  readonly go: RecipeGo | null;
  readonly kernelModule: RecipeKernelModule | null;
  readonly behaviour: ExtensionBehaviour;
};

/** `fixed`: unless the command line says another; `deb`: that of a Debian package, in the letters that a version may have. */
export type RecipeVersion =
  | { readonly type: "fixed"; readonly version: string }
  | { readonly type: "deb"; readonly package: string };

/** A program that its makers publish as one file. */
export type RecipeDownload = {
  /** `@VERSION@` stands for the version, `@NUMBER@` for the version without a leading v. */
  readonly url: string;
  /** Where it goes; executable. */
  readonly path: string;
  /** By version. */
  readonly sha256: ReadonlyMap<string, string>;
};

/** Programs built from a Go module, fetched through the module proxy and checked against the checksum database. */
export type RecipeGo = {
  readonly module: string;
  /** `@VERSION@` and `@NUMBER@` as in downloads. */
  readonly ldflags: string;
  readonly packages: readonly GoPackage[];
  /** Programs of the same module for other machines: built when asked for, never part of the extension. */
  readonly otherPackages: readonly GoPackage[];
};

/** A program's package, and where the program goes. */
export type GoPackage = { readonly path: string; readonly binary: string };

/** A kernel module built against the release's kernel. */
export type RecipeKernelModule = {
  /** A folder beside the recipe with a Kbuild Makefile. */
  readonly source: string;
};

/** Puts the version into a URL or flags. */
export function withVersion(text: string, version: string): string {
  return text.replaceAll("@VERSION@", version).replaceAll("@NUMBER@", version.replace(/^v/u, ""));
}
