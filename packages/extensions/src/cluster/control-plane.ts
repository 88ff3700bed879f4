import { join } from "node:path";
import { run } from "@ashlar/host";
import { cachedStep, chooseArchive, downloadPackages, makeDebianTrees, readOsDefinition } from "@ashlar/debian";
import { type ClusterBuildOptions, otherPrograms, type Programs } from "./other-programs.ts";

const KUBERNETES = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubeadm", "kubectl"] as const;
const ETCD_PACKAGE = "etcd-server";

export type ControlPlane = {
  /** The absolute path of each program, in the user's cache. */
  readonly programs: Programs<(typeof KUBERNETES)[number] | "etcd">;
};

/**
 * The programs of a control plane for this machine: Kubernetes' own from the sources of the Kubernetes recipe, etcd from
 * Debian. They are in the user's cache, made once for each version.
 *
 * @throws AshlarError `not-found` for a version without digests, `untrusted`, `unavailable`, `failed`
 */
export async function buildControlPlane(options: ClusterBuildOptions): Promise<ControlPlane> {
  const { programs } = await otherPrograms(KUBERNETES, options);
  return { programs: { ...programs, etcd: await etcdProgram(options) } };
}

async function etcdProgram({ archive = {}, ...step }: ClusterBuildOptions): Promise<string> {
  const { directory } = await cachedStep("etcd", { format: 1, package: ETCD_PACKAGE }, async (out) => {
    const chosen = await chooseArchive(archive);
    const trees = await makeDebianTrees(await readOsDefinition(), chosen, step);
    const downloaded = await downloadPackages([ETCD_PACKAGE], trees, chosen, trees, step);
    // A static program: what its package needs else is for a service that the package's scripts make.
    for (const { name, path } of downloaded) {
      if (name === ETCD_PACKAGE) await run("dpkg-deb", ["--extract", path, out], { signal: step.signal });
    }
  });
  return join(directory, "usr/bin/etcd");
}
