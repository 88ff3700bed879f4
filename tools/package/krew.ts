/** What Krew, the manager of kubectl's plugins, installs: an archive, and the manifest that points at it. */
import { cp, lstat, mkdir, writeFile } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import { stringify } from "yaml";
import { HOME } from "./stage.ts";
import { makeArchive } from "./tar.ts";

export type KrewRelease = {
  readonly version: string;
  /** Where the archive will be. */
  readonly url: string;
  readonly sha256: string;
};

/** A Plugin manifest (krew.googlecontainertools.github.com/v1alpha2; "Plugin manifest" in Krew's developer guide). */
export function krewManifest({ version, url, sha256 }: KrewRelease): string {
  return stringify({
    apiVersion: "krew.googlecontainertools.github.com/v1alpha2",
    kind: "Plugin",
    metadata: { name: "ashlar" },
    spec: {
      version: `v${version}`,
      shortDescription: "Show what is proved of nodes",
      description: `Shows what is proved of the nodes of a cluster: whether each runs, and boots
next, exactly what was declared, as TPMs have signed it. Explains why nodes
differ, answers which nodes have a package, a file or a weakness, and checks
certificates of fleets offline.
`,
      caveats: `What \`kubectl ashlar proof\` shows is written by the cluster operator: install
it with \`kubectl apply -k deploy\` and \`ashlar operator\`.
`,
      platforms: [
        {
          selector: { matchLabels: { os: "linux", arch: "amd64" } },
          uri: url,
          sha256,
          bin: "ashlar",
        },
      ],
    },
  });
}

/** What commands of a workstation need, and those of the plugin do not. */
const NOT_NEEDED = ["node_modules/@ashlar", "node_modules/@esbuild", "node_modules/esbuild"];
const PARTS = ["ashlar", "node_modules", "apps/cli/package.json"];

export type ArchiveOptions = {
  /** As `stageTree` has made it. */
  readonly tree: string;
  readonly directory: string;
  readonly version: string;
  /** The directory of the archive where it is published. */
  readonly base: string;
  /** The time of all files, seconds since 1970. */
  readonly time: string;
  readonly onStep: (line: string) => void;
};

/** @returns the paths of archive and manifest */
export async function makeKrewPackage(options: ArchiveOptions): Promise<readonly string[]> {
  const { tree, directory, version, base, time, onStep } = options;
  const archive = join(directory, `kubectl-ashlar_${version}_linux_amd64.tar.gz`);
  const manifest = join(directory, "ashlar.yaml");
  onStep(basename(archive));
  const published = await makeArchive(archive, { base, time }, async (own) => {
    for (const part of PARTS) {
      await mkdir(join(own, part, ".."), { recursive: true });
      await cp(join(tree, HOME, part), join(own, part), { recursive: true, filter: isNeeded(join(tree, HOME)) });
    }
    await cp(join(tree, "usr/share/doc/ashlar/copyright"), join(own, "LICENSE"));
  });
  await writeFile(manifest, krewManifest({ version, ...published }));
  return [archive, manifest];
}

/** Krew takes files and directories, and refuses an archive with links. */
function isNeeded(home: string): (path: string) => Promise<boolean> {
  const left = NOT_NEEDED.map((path) => join(home, path));
  return async (path) => {
    if (left.some((each) => path === each || path.startsWith(each + sep))) return false;
    return !(await lstat(path)).isSymbolicLink();
  };
}
