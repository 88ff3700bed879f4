import type { KnownRelease } from "@ashlar/protocol/answers";
import { kubeletOfRelease, versionSkew, type Kubelet } from "@ashlar/rollout";

export type SkewFacts = {
  /** Those that are known. */
  readonly releases: readonly Pick<KnownRelease, "version" | "packages">[];
  /** What the class's own config brings. */
  readonly kubelet: Kubelet | undefined;
};

/**
 * Why nodes may not be taken to a release as the API server is now: the kubelet that they would have, by the release's manifest or by what
 * their class declares, would be too new or too old.
 *
 * @param server asks for the API server's version, which only some rollouts depend on
 */
export function rolloutSkew(
  target: string,
  { releases, kubelet }: SkewFacts,
  server: () => string | undefined,
): string | undefined {
  const release = releases.find(({ version }) => version === target);
  const kubelets = [release && kubeletOfRelease(release), kubelet].filter((each) => each !== undefined);
  for (const each of kubelets) {
    const why = versionSkew(each, server());
    if (why !== undefined) return why;
  }
  return undefined;
}
