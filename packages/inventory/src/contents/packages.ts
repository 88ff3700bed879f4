import type { ManifestPackage } from "@ashlar/protocol/answers";
import type { Part } from "./contents.ts";

/** What a part says about packages of one ecosystem: all of them, or why there may be others. */
export type PackageList = { readonly packages: readonly NamedPackage[]; readonly gap?: string };

/** A package as an advisory names it: a Debian source package, or a Go module. */
export type NamedPackage = {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  /** The Debian package that was built from it, where it has another name. */
  readonly binary?: string;
};

/** Go's own library, as one module. */
export const GO_LIBRARY = "stdlib";
const NO_MANIFEST = "no manifest of it is known";

/** Modules have a host in their path (go.dev/ref/mod#module-path); no Debian package has a slash. */
function isGoModule({ name }: ManifestPackage): boolean {
  return name.includes("/") || name === GO_LIBRARY;
}

export function debianPackages({ kind, inside }: Part): readonly ManifestPackage[] | undefined {
  // A confext is made of text; what else is made without packages may hold programs from anywhere.
  if (inside === undefined || (inside.packages.length === 0 && kind === "sysext" && inside.files.length > 0))
    return undefined;
  return inside.packages.filter((each) => !isGoModule(each));
}

/** Debian source packages. */
export function sourcePackages(part: Part): PackageList {
  const found = debianPackages(part);
  if (found === undefined)
    return {
      packages: [],
      gap: part.inside === undefined ? NO_MANIFEST : "it does not say of which packages it was made",
    };
  const packages = found.flatMap((each) => {
    const source = sourceOf(each);
    return source === undefined ? [] : [{ ...source, purl: debianPurl(each), binary: each.name }];
  });
  if (packages.length === found.length) return { packages };
  return { packages, gap: "its manifest, by an earlier Ashlar, does not name source packages" };
}

/** Debian's signed kernels are built from `linux` again, under its version. */
export function sourceOf({ source, version }: ManifestPackage): ManifestPackage["source"] {
  return source !== undefined && source.name.startsWith("linux-signed-") ? { name: "linux", version } : source;
}

/** Go modules of an extension. What Debian's own packages were linked with nobody has listed. */
export function goModules({ kind, inside }: Part): PackageList {
  if (kind === "confext") return { packages: [] };
  if (inside === undefined) return { packages: [], gap: NO_MANIFEST };
  const modules = inside.packages.filter(isGoModule);
  const packages = modules.map(({ name, version }) => ({ name, version, purl: goPurl({ name, version }) }));
  // Every Go program has Go's own library in it: a list without it is not one of all modules.
  const isComplete = modules.some(({ name }) => name === GO_LIBRARY) && modules.length === inside.packages.length;
  return isComplete ? { packages } : { packages, gap: "it does not list the Go modules of all its programs" };
}

/** As the bills of materials name a package: a Debian one, or a Go module. */
export function packagePurl(each: ManifestPackage): string {
  return isGoModule(each) ? goPurl(each) : debianPurl(each);
}

/** Package URL type "deb": https://github.com/package-url/purl-spec, PURL-TYPES. */
export function debianPurl({ name, version, architecture }: ManifestPackage): string {
  return `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}&distro=${DEBIAN.codename}`;
}

/** Package URL type "golang". */
function goPurl({ name, version }: Pick<ManifestPackage, "name" | "version">): string {
  return `pkg:golang/${name.split("/").map(encodeURIComponent).join("/")}@${encodeURIComponent(version)}`;
}

/** The Debian that releases are made of. */
export const DEBIAN: { readonly release: string; readonly codename: string } = { release: "13", codename: "trixie" };
