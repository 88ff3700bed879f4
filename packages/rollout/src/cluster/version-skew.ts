/**
 * Which kubelets may be members of a cluster: none that is of a newer minor version than an API server, and none that is more than
 * three older ("Version Skew Policy" of Kubernetes, kubelet).
 */

/** A kubelet that nodes would have. */
export type Kubelet = {
  /** What brings it, in words: `the extension kubernetes`. */
  readonly from: string;
  readonly version: string;
};

const MAX_MINORS_OLDER = 3;

/** Extensions that are, or hold, a kubelet of their own version: `k3s` v1.33.4+k3s1 has that of v1.33.4. */
const EXTENSIONS: ReadonlySet<string> = new Set(["kubernetes", "kubelet", "k3s", "rke2"]);

/** Debian packages and Go modules that are one. */
const PACKAGES: ReadonlySet<string> = new Set(["kubelet", "k8s.io/kubernetes"]);

export function holdsKubelet(extension: string): boolean {
  return EXTENSIONS.has(extension);
}

/** The kubelet in a release; undefined where its manifest names none, or no packages at all. */
export function kubeletOfRelease({
  version,
  packages = [],
}: {
  readonly version: string;
  readonly packages?: readonly { readonly name: string; readonly version: string }[];
}): Kubelet | undefined {
  const found = packages.find(({ name }) => PACKAGES.has(name));
  return found && { from: `the release ${version}`, version: found.version };
}

/**
 * Why a kubelet may not be a member; undefined when it may. A version that says nothing is refused.
 *
 * @param server what the API server says of itself (gitVersion); undefined while it is not known
 */
export function versionSkew({ from, version }: Kubelet, server: string | undefined): string | undefined {
  const kubelet = `the kubelet ${version} of ${from}`;
  if (server === undefined) return `${kubelet}: the API server has not said its version yet`;
  const [own, other] = [minorOf(version), minorOf(server)];
  if (own === undefined) return `${kubelet}: expected a version such as v1.33.5`;
  if (other === undefined)
    return `${kubelet}: expected the API server to have a version such as v1.33.5, found ${server}`;
  if (own.major !== other.major) return `${kubelet} has another major version than the API server, ${server}`;
  if (own.minor > other.minor) {
    return `${kubelet} would be newer than the API server, ${server}: update the control plane first`;
  }
  if (other.minor - own.minor <= MAX_MINORS_OLDER) return undefined;
  return `${kubelet} would be ${other.minor - own.minor} minor versions older than the API server, ${server}, and ${MAX_MINORS_OLDER} are allowed`;
}

type Minor = { readonly major: number; readonly minor: number };

/** Of `v1.33.5`, `1.33.5-1.1`, `v1.33.4+k3s1`, and of a pattern that leaves no other: `v1.33.*`. */
function minorOf(version: string): Minor | undefined {
  const [, major, minor] = /^v?(\d{1,4})\.(\d{1,4})(?:[.+~-]|$)/u.exec(version) ?? [];
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}
