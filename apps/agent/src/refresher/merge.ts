import { mkdir, readFile, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { isMissing, run } from "@ashlar/host";
import { reportLine } from "@ashlar/host/terminal";
import type { ExtensionKind } from "@ashlar/protocol";
import type { ExtensionPaths } from "../shared/node-paths.ts";
import type { AcceptedImage } from "../extensions/accept-image.ts";

/**
 * Runs systemd-sysext or -confext where its search path has our links and nothing else. It works in a mount namespace of
 * its own: what it merges is shared with the system's, what hides other images is not. So whatever lies in
 * /var/lib/extensions or the like is neither merged nor in the way.
 *
 * $1: the directory of links; $2: where they are looked for, below /run; $3: further places, none below what is merged;
 * then the program. Each program that is started here costs as much as a whole check of a small image.
 */
const IN_OWN_NAMESPACE = `set -eu
links=$1 place=$2 others=$3
shift 3
mount --make-rslave /run
mount --bind "$links" "$place"
for other in $others; do
    if [ -d "$other" ]; then
        top=\${other#/}
        mount --make-rslave "/\${top%%/*}"
        mount -t tmpfs -o ro,mode=0755 empty "$other"
    fi
done
exec "$@"`;

type Merge = {
  readonly program: string;
  readonly others: string;
  readonly policy: string;
  /** Where systemd says what it has merged. */
  readonly lists: readonly string[];
};

const KINDS: Readonly<Record<ExtensionKind, Merge>> = {
  sysext: {
    program: "systemd-sysext",
    others: "/var/lib/extensions",
    policy: "root=signed+absent:usr=signed+absent",
    lists: ["/usr/.systemd-sysext/extensions", "/opt/.systemd-sysext/extensions"],
  },
  confext: {
    program: "systemd-confext",
    others: "/var/lib/confexts /usr/lib/confexts /usr/local/lib/confexts",
    policy: "root=signed+absent",
    lists: ["/etc/.systemd-confext/confexts"],
  },
};

/**
 * A merge is refreshed by taking the old one away. systemd itself waits up to 45 s for the devices of an image (in
 * dissect-image.c): where a machine is that slow, what is on its way is not ended from here.
 */
const TIMEOUT_MS = 120_000;
const IMAGE_TIMEOUT_MS = 60_000;

/**
 * Replaces what is merged of a kind by these images; with none it only unmerges.
 *
 * @throws AshlarError `failed`: then what was merged before may still be, or not
 */
export async function mergeImages(
  { runtime, links }: Pick<ExtensionPaths, "runtime" | "links">,
  kind: ExtensionKind,
  images: readonly AcceptedImage[],
): Promise<void> {
  const { program, others, policy } = KINDS[kind];
  const directory = join(runtime, "merge", kind);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  await mkdir(links[kind], { recursive: true });
  for (const { name, path } of images) await symlink(path, join(directory, `${name}.raw`));
  // The service manager is told once, when everything is merged.
  const command = [program, "refresh", "--no-reload", `--image-policy=${policy}`];
  const script = [IN_OWN_NAMESPACE, "sh", directory, links[kind], others, ...command];
  await run("unshare", ["--mount", "--propagation", "unchanged", "sh", "-c", ...script], {
    timeoutMs: TIMEOUT_MS + images.length * IMAGE_TIMEOUT_MS,
    onLine: (line) => reportLine(`${program}: ${line}`),
  });
  const found = await mergedNames(kind);
  const missing = images.find(({ name }) => !found.has(name));
  if (missing !== undefined) throw new AshlarError("failed", `${program} has left ${missing.name} out`);
}

/** What systemd says it has merged of a kind, whoever told it to. */
export async function mergedNames(kind: ExtensionKind): Promise<ReadonlySet<string>> {
  const names = (await Promise.all(KINDS[kind].lists.map(readList))).flat();
  return new Set(names.map((name) => name.replace(/\.raw$/u, "")));
}

async function readList(path: string): Promise<string[]> {
  try {
    return (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
