/**
 * The releases that the update tests move nodes between, published in a repository: made once for all of them, and again
 * only when something that goes into them has changed.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, glob, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { run, withLock } from "@ashlar/host";
import { readUsrFiles } from "./usr-files.ts";
import { makePanickingRelease } from "./panicking-release.ts";
import { ashlar, OUT, ROOT } from "./world.ts";

/** Runs, and is what an update starts from. */
export const OLD = "1.0.0";
/** Good; the channel `stable` points at it. Its systemd-boot is another one than that of all others. */
export const NEW = "1.1.0";
/** Good, unless a file of {@link FAULT_DIRECTORY} on the node says what shall be wrong with it. */
export const FAULTY = "1.2.0";
/** Its UKI's initrd is not one: the kernel panics. */
export const PANICKING = "1.3.0";

export type Releases = {
  readonly repository: string;
  readonly keys: string;
  readonly image: (version: string) => string;
};

/** On a node. */
export const FAULT_DIRECTORY = "/var/lib/e2e-fault";
export const FAULTS = [
  "health-fails",
  "health-hangs",
  "health-lies",
  "init-hangs",
  "init-ends",
  "agent-missing",
] as const;
export type Fault = (typeof FAULTS)[number];

const INPUTS = [
  "os/**/*",
  "apps/agent/src/**/*",
  "packages/{base,debian,declaration,formats,host,identity,image,inventory,keys,protocol,publisher,repository,repository-index,volumes}/src/**/*",
  "package-lock.json",
  "test/e2e/{update-releases,panicking-release}.ts",
];
const MAX_WAIT_MS = 30 * 60_000;

export async function makeReleases(): Promise<Releases> {
  const parent = join(OUT, "releases");
  const directory = join(parent, await digestOfInputs());
  await mkdir(parent, { recursive: true });
  await withLock(`${parent}.lock`, { what: parent, holder: "a test", waitMs: MAX_WAIT_MS }, async () => {
    if (existsSync(directory)) return;
    for (const name of await readdir(parent)) await rm(join(parent, name), { recursive: true });
    const unfinished = `${directory}.unfinished`;
    await publishAll(releasesIn(unfinished));
    await rename(unfinished, directory);
  });
  return releasesIn(directory);
}

/** A copy of the repository, which shares files with it, for a test that changes it. */
export async function copyRepository({ repository }: Releases, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await mkdir(dirname(to), { recursive: true });
  await run("cp", ["--archive", "--link", repository, to]);
  // One file is one lock.
  await rm(join(to, ".lock"));
}

function releasesIn(directory: string): Releases {
  return {
    repository: join(directory, "repository"),
    keys: join(directory, "keys"),
    image: (version) => join(directory, version),
  };
}

async function digestOfInputs(): Promise<string> {
  const digest = createHash("sha256");
  const paths: string[] = [];
  for await (const entry of glob(INPUTS, { cwd: ROOT, withFileTypes: true })) {
    if (entry.isFile() && !entry.name.endsWith(".test.ts")) paths.push(join(entry.parentPath, entry.name));
  }
  for (const path of paths.toSorted()) digest.update(`${relative(ROOT, path)}\0`).update(await readFile(path));
  return digest.digest("hex").slice(0, 16);
}

async function publishAll(releases: Releases): Promise<void> {
  const { repository, keys, image } = releases;
  await rm(dirname(repository), { recursive: true, force: true });
  const place = ["--repo", repository, "--keys", keys];
  await ashlar("release", "init", ...place);
  // Nodes of one channel have a choice; those that something is wrong with are for who asks for them.
  const publish = async (version: string, channel: string): Promise<void> => {
    // These nodes read nothing that is compressed so: it is for plain systemd-sysupdate.
    await ashlar("release", "publish", ...place, "--image", image(version), "--channel", channel, "--compression", "0");
  };
  const build = async (version: string, ...options: string[]): Promise<void> => {
    await ashlar("image", "build", "--version", version, "--out", image(version), ...options);
  };
  await build(OLD);
  // A release is published while the next one is built.
  const loaderTree = join(dirname(repository), "loader");
  await makeLoaderTree(loaderTree, await readFile(join(image(OLD), "systemd-boot.efi")));
  await Promise.all([publish(OLD, "stable"), build(NEW, "--add-tree", loaderTree)]);
  const tree = join(dirname(repository), "faults");
  await makeFaultTree(tree, join(image(OLD), "usr.erofs"));
  await Promise.all([publish(NEW, "stable"), build(FAULTY, "--add-tree", tree)]);
  await makePanickingRelease({ from: image(FAULTY), fromVersion: FAULTY, to: image(PANICKING), version: PANICKING });
  await publish(FAULTY, "testing");
  await publish(PANICKING, "testing");
}

/** systemd-boot that says in its version that it is another one, and does the same. */
async function makeLoaderTree(tree: string, loader: Buffer): Promise<void> {
  const path = join(tree, "lib/systemd/boot/efi/systemd-bootx64.efi");
  const end = loader.indexOf(" ####", loader.indexOf("#### LoaderInfo: systemd-boot "));
  if (end === -1) throw new TypeError("expected systemd-boot to name its version, found none");
  loader.write("2", end - 1, "latin1");
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, loader);
}

/** One release with many faults, each behind a switch in /var: an image takes longer to build than a node to boot. */
async function makeFaultTree(tree: string, usrImage: string): Promise<void> {
  const init = "lib/systemd/systemd";
  const originals = await readUsrFiles(usrImage, [init]);
  const files: (readonly [string, string | Uint8Array])[] = [
    [init, FAULTY_INIT],
    [`${init}-original`, originals.get(init) ?? ""],
    ["lib/ashlar/health.d/50-fails", FAILING_CHECK],
    ["lib/ashlar/health.d/50-hangs", HANGING_CHECK],
    ["lib/ashlar/health.d/50-lies", LYING_CHECK],
    ["lib/systemd/system/fault.service", FAILING_UNIT],
  ];
  for (const [path, content] of files) {
    const full = join(tree, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, content);
    await chmod(full, path.endsWith(".service") ? 0o644 : 0o755);
  }
  const wants = join(tree, "lib/systemd/system/multi-user.target.wants");
  await mkdir(wants);
  await symlink("../fault.service", join(wants, "fault.service"));
}

const FAULTY_INIT = `#!/bin/sh
PATH=/usr/sbin:/usr/bin
if [ $$ -eq 1 ]; then
    [ -e ${FAULT_DIRECTORY}/init-hangs ] && exec sleep infinity
    [ -e ${FAULT_DIRECTORY}/init-ends ] && exit 1
    [ -e ${FAULT_DIRECTORY}/agent-missing ] && mount --bind /dev/null /usr/bin/ashlar
fi
exec /usr/lib/systemd/systemd-original "$@"
`;

const FAILING_CHECK = `#!/bin/sh
[ -e ${FAULT_DIRECTORY}/health-fails ] || exit 0
echo "the database does not answer" >&2
exit 1
`;

const HANGING_CHECK = `#!/bin/sh
[ -e ${FAULT_DIRECTORY}/health-hangs ] || exit 0
echo "waiting for the database"
sleep infinity
`;

/** All is well, whatever is the matter. */
const LYING_CHECK = `#!/bin/sh
echo '{"healthy":true,"checks":[]}'
echo "passed  everything"
`;

const FAILING_UNIT = `[Unit]
Description=Fails while a health check says that all is well
ConditionPathExists=${FAULT_DIRECTORY}/health-lies

[Service]
Type=oneshot
ExecStart=/usr/bin/false
`;
