/** Images that a cluster's nodes need before anything else can run, as OCI layouts: no registry is asked. */
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { run, withTemporaryDirectory } from "@ashlar/host";
import {
  cachedStep,
  chooseArchive,
  type DownloadedPackage,
  downloadPackages,
  makeDebianTrees,
  readOsDefinition,
} from "@ashlar/debian";
import { writeExtensionSbom } from "../image/write-sbom.ts";
import { writeLayout } from "../oci/write-layout.ts";
import { unpack } from "../sources/stage-debs.ts";
import { type ClusterBuildOptions, otherPrograms } from "./other-programs.ts";

export type ClusterImage = {
  /** The name that pods ask for, for example registry.k8s.io/pause:3.10. */
  readonly reference: string;
  /** An OCI image layout with this image alone, its one layer not compressed. */
  readonly layout: string;
  /** Its bill of materials, CycloneDX. */
  readonly sbom: string;
};

type ImageRecipe = {
  readonly reference: string;
  /** Of `go.otherPackages` in the Kubernetes recipe. */
  readonly programs: readonly string[];
  /** From Debian, with all that they need of `libraries`. */
  readonly debs: readonly string[];
  readonly libraries: readonly string[];
  readonly links: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly user: string;
};

/** What kubeadm 1.33 and containerd's configuration in `os/` call the pause image. */
const PAUSE: ImageRecipe = {
  reference: "registry.k8s.io/pause:3.10",
  programs: [],
  // Static. In pause mode it waits, reaps, and ends at INT or TERM.
  debs: ["catatonit"],
  libraries: [],
  links: {},
  entrypoint: ["/usr/bin/catatonit", "-P"],
  user: "65535:65535",
};

/** Something to run: a shell, a web server, tools to look at a network with. Links are its applets. */
const WORKLOAD: ImageRecipe = {
  reference: "registry.example.org/busybox:1.37",
  programs: [],
  debs: ["busybox-static"],
  libraries: [],
  links: { "usr/bin/sh": "busybox" },
  entrypoint: ["/usr/bin/busybox"],
  user: "65534:65534",
};

const LIBRARIES = [
  "libc6",
  "libedit2",
  "libbsd0",
  "libmd0",
  "libtinfo6",
  "libgmp10",
  "libjansson4",
  "libmnl0",
  "libnftnl11",
  "libnftables1",
  "libxtables12",
  "libip4tc2",
  "libip6tc2",
  "libipset13",
  "libnetfilter-conntrack3",
  "libnfnetlink0",
];

/** kubeadm runs it with a command of its own. */
const kubeProxy = (version: string): ImageRecipe => ({
  reference: `registry.k8s.io/kube-proxy:${version}`,
  programs: ["kube-proxy"],
  // Without netbase's /etc/protocols nft calls TCP 6 when it lists a rule, and kube-proxy takes the rule for a stale one and
  // deletes it: Services of which it learns before it has seen the nodes never work.
  debs: ["nftables", "iptables", "ipset", "conntrack", "netbase"],
  libraries: LIBRARIES,
  // Debian's come from update-alternatives.
  links: Object.fromEntries(
    ["iptables", "ip6tables"].flatMap((name) =>
      ["", "-save", "-restore"].map((end) => [`usr/sbin/${name}${end}`, "xtables-nft-multi"]),
    ),
  ),
  entrypoint: ["/usr/local/bin/kube-proxy"],
  user: "",
});

/** Those of a version of Kubernetes. */
export function imageRecipes(version: string): readonly ImageRecipe[] {
  return [PAUSE, kubeProxy(version), WORKLOAD];
}

/**
 * The images of pause, kube-proxy and a workload to try things with, made once of the Kubernetes recipe's sources and of
 * Debian's packages, in the user's cache.
 *
 * @throws AshlarError `not-found` for a version without digests, `untrusted`, `unavailable`, `failed`
 */
export async function buildClusterImages(options: ClusterBuildOptions): Promise<readonly ClusterImage[]> {
  const images: ClusterImage[] = [];
  for (const recipe of imageRecipes(options.version)) images.push(await buildImage(recipe, options));
  return images;
}

async function buildImage(recipe: ImageRecipe, options: ClusterBuildOptions): Promise<ClusterImage> {
  const { reference, programs, links, entrypoint, user } = recipe;
  const built = programs.length === 0 ? undefined : await otherPrograms(programs, options);
  const debs = await downloadDebs(recipe, options);
  const inputs = {
    format: 1,
    ...recipe,
    programs: built === undefined ? null : basename(built.directory),
    debs: debs.map(({ path }) => basename(path)),
  };
  const { directory } = await cachedStep("cluster-image", inputs, async (out) => {
    options.onProgress(`putting together ${reference}`);
    await withTemporaryDirectory(async (work) => {
      const tree = join(work, "tree");
      await mkdir(join(tree, "usr"), { recursive: true });
      for (const deb of debs) {
        const unpacked = join(work, "unpacked");
        await unpack(deb, unpacked);
        await run("cp", ["--archive", "--link", "--", `${unpacked}/.`, tree]);
        await rm(unpacked, { recursive: true });
      }
      if (built !== undefined) await run("cp", ["--archive", "--", `${built.directory}/.`, tree]);
      const merged = { bin: "usr/bin", sbin: "usr/sbin", lib: "usr/lib", lib64: "usr/lib64" };
      for (const [path, target] of Object.entries({ ...merged, ...links })) await symlink(target, join(tree, path));
      for (const path of ["run", "tmp"]) await mkdir(join(tree, path));
      await writeLayout({ tree, reference, entrypoint, user, out: join(out, "layout") });
    }, dirname(out));
    const packages = [
      ...(built?.modules ?? []).map(({ path, version }) => ({ name: path, version, architecture: "amd64" })),
      ...debs.map(({ name, version, architecture }) => ({ name, version, architecture })),
    ];
    const [name = "", version = ""] = reference.split(":");
    await writeFile(join(out, "sbom.cdx.json"), writeExtensionSbom({ name, version, packages, files: [] }));
  });
  return { reference, layout: join(directory, "layout"), sbom: join(directory, "sbom.cdx.json") };
}

/** The packages and, though nodes have them, their libraries. */
async function downloadDebs(
  { debs, libraries }: ImageRecipe,
  { archive = {}, ...step }: ClusterBuildOptions,
): Promise<readonly DownloadedPackage[]> {
  const own = new Set([...debs, ...libraries]);
  const chosen = await chooseArchive(archive);
  const trees = await makeDebianTrees(await readOsDefinition(), chosen, step);
  const others = trees.packages.filter(({ name }) => !own.has(name));
  return await downloadPackages(debs, { packages: others }, chosen, trees, step);
}
