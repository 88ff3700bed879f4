import type { HostPackage } from "@ashlar/cli";

/** What the pinned Node.js is linked with. */
const DEPENDS = ["libatomic1", "libc6 (>= 2.28)", "libgcc-s1", "libstdc++6"];

/**
 * The control file of the Debian package (deb-control(5)).
 *
 * @param sizeKiB what is installed takes
 * @param hostPackages what `ashlar setup` would install: for images and labs, suggested here
 */
export function controlFile(version: string, sizeKiB: number, hostPackages: readonly HostPackage[]): string {
  const suggested = hostPackages.filter(({ parts }) => parts.some((part) => part !== "test")).map(({ name }) => name);
  const fields = {
    Package: "ashlar",
    Version: debianVersion(version),
    Architecture: "amd64",
    Maintainer: "The Ashlar maintainers <noreply@ashlar.dev>",
    "Installed-Size": String(sizeKiB),
    Depends: DEPENDS.join(", "),
    Suggests: suggested.toSorted().join(", "),
    Section: "admin",
    Priority: "optional",
    Description: `Immutable Kubernetes nodes that can be proved
 Builds, provisions, updates and proves nodes whose operating system is one
 signed image: evidence that a TPM has signed is compared with values that were
 computed from image and configuration.
 .
 This is the command line, with the Node.js that it runs on. \`ashlar setup\`
 installs what building images and running labs needs besides.`,
  };
  return `${Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n")}\n`;
}

/** A pre-release comes before its release: 1.0.0-rc.1 is 1.0.0~rc.1 there (deb-version(7)). */
export function debianVersion(version: string): string {
  return version.replace("-", "~");
}
