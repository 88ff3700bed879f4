/**
 * Each recipe as a user builds it: the extension verifies, its programs run in a tree made of a release and all of the
 * extensions, and then all at once on a node.
 */
import assert from "node:assert/strict";
import { copyFile, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { run } from "@ashlar/host";
import { declaring, ExtensionLab, ExtensionWorld } from "../e2e/extension-lab.ts";
import { ashlar, removeLabOnSignal, ROOT } from "../e2e/world.ts";

const MINUTES = 60_000;
const NAME = "e2e-recipes";
const world = new ExtensionWorld("recipes");
const { directory, keys } = world;
const tree = join(directory, "tree");
const names = await readdir(join(ROOT, "recipes"));
/** Where an extension's file system begins in its image. */
const DATA_OFFSET = 20_480;

before(
  async () => {
    await world.make();
    await mkdir(tree);
    await run("fsck.erofs", [`--extract=${join(tree, "usr")}`, "--no-preserve", join(world.image, "usr.erofs")]);
    for (const name of ["bin", "sbin", "lib", "lib64"]) await symlink(`usr/${name}`, join(tree, name));
    for (const name of ["etc/containerd", "proc", "dev", "run", "tmp"])
      await mkdir(join(tree, name), { recursive: true });
    await copyFile(join(ROOT, "os/etc/containerd/config.toml"), join(tree, "etc/containerd/config.toml"));
    await writeFile(join(tree, "dev/null"), "");
  },
  { timeout: 60 * MINUTES },
);

after(async () => {
  await ashlar("lab", "down", "--name", NAME);
  await rm(directory, { recursive: true, force: true });
});

removeLabOnSignal(NAME);

for (const name of names) {
  // Programs of Go modules: 4 minutes on two cores when nothing has been built before, else seconds.
  test(`${name}: built, verified`, { timeout: 60 * MINUTES }, async () => {
    const common = ["--release", world.image, "--keys", keys, "--out", join(directory, "out"), "--json"];
    const { image }: { image: string } = JSON.parse(await ashlar("extension", "build", "--recipe", name, ...common));
    await ashlar("extension", "verify", image, "--keys", keys);
    await addToTree(image);
    await ashlar("extension", "publish", "--repo", world.repository, "--keys", keys, image);
  });
}

const PROGRAMS: readonly (readonly [program: string, answer: RegExp, ...args: string[]])[] = [
  ["kubelet", /^Kubernetes v1\.33\.5\n$/u, "--version"],
  ["kubeadm", /^v1\.33\.5\n$/u, "version", "--output=short"],
  ["kubectl", /^Client Version: v1\.33\.5\n/u, "version", "--client"],
  ["containerd", /containerd\/v2 v2\.1\.9/u, "--version"],
  ["ctr", /containerd\/v2 v2\.1\.9/u, "--version"],
  // It has to take the base image's file, and to leave off what that one does.
  [
    "containerd",
    /^disabled_plugins = .*v1\.restart.*v1\.opt/mu,
    "--config=/usr/lib/containerd/extension.toml",
    "config",
    "dump",
  ],
  ["prometheus-node-exporter", /node_exporter, version 1\./u, "--version"],
  ["python3", /^OpenSSL/u, "-c", "import json, sqlite3, ssl; print(ssl.OPENSSL_VERSION)"],
  ["tcpdump", /libpcap/u, "--version"],
  ["strace", /^strace -- version/u, "-V"],
  ["gdb", /^3\.13/mu, "-nx", "-batch", "-ex", "python import platform; print(platform.python_version())"],
  ["ping", /iputils/u, "-V"],
  ["mtr", /^mtr /u, "--version"],
  ["mount.nfs4", /^mount\.nfs4: \(linux nfs-utils 2\./u, "-V"],
  ["iscsiadm", /^iscsiadm version 2\./u, "--version"],
  ["/usr/lib/cni/bridge", /^CNI bridge plugin/u],
];

for (const [program, answer, ...args] of PROGRAMS) {
  test(`${program} ${args.join(" ")}`, async () => {
    const { stdout, stderr } = await inTree(program, args);
    assert.match(stdout.toString("utf8") + stderr, answer);
  });
}

test("the kernel module is the release's kernel's, and signed", async () => {
  const [release = ""] = await readdir(join(tree, "usr/lib/modules"));
  const { stdout } = await inTree("modinfo", [`/usr/lib/modules/${release}/updates/ashlar_example.ko`]);
  const vermagic = /^vermagic: +(?<kernel>\S+) /mu.exec(stdout.toString("utf8"));
  assert.equal(vermagic?.groups?.["kernel"], release);
  assert.match(stdout.toString("utf8"), /^sig_id: +PKCS#7$/mu);
});

test("systemd takes the units", async () => {
  const units = [
    "kubelet.service",
    "prometheus-node-exporter.service",
    "ashlar-example-module.service",
    "iscsid.service",
  ];
  await inTree("systemd-analyze", ["verify", "--man=no", "--recursive-errors=no", ...units]);
});

/** The module's key would have to be in the firmware's db: see its README. */
const ON_NODE = names.filter((name) => name !== "kernel-module").toSorted();
const CONFIG = declaring(
  ON_NODE.map((name) => `{name: ${name}, version: "*", tier: ${name === "kubernetes" ? "community" : "opt-in"}}`),
);

test("a node has all of them, works and is proven", { timeout: 60 * MINUTES }, async () => {
  const lab = await ExtensionLab.up(NAME, world, CONFIG);
  const { merged, setAside, missing } = await lab.status();
  assert.deepEqual([merged.map(({ name }) => name), setAside, missing], [ON_NODE, [], []]);
  assert.equal((await lab.root("systemctl is-system-running --wait")).output, "running");
  assert.match(await lab.mustRun("ctr version"), /Server:\n +Version: +v2\.1\.9/u);
  assert.equal(await lab.mustRun("kubelet --version"), "Kubernetes v1.33.5");
  assert.match(await lab.mustRun("tcpdump --list-interfaces && strace -V && gdb --version"), /strace -- version/u);
  const metrics = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9100/metrics').read().decode())";
  assert.match(await lab.mustRun(`python3 -c "${metrics}"`), /^node_boot_time_seconds /mu);
  const { status, node } = await lab.prove();
  assert.deepEqual([status, node.level], [0, "proven"], JSON.stringify(node.differences));
});

async function addToTree(image: string): Promise<void> {
  const data = join(directory, "data.erofs");
  const files = join(directory, "files");
  await rm(files, { recursive: true, force: true });
  await copyFile(image, data);
  await run("fallocate", ["--collapse-range", "--offset", "0", "--length", String(DATA_OFFSET), data]);
  await run("fsck.erofs", [`--extract=${files}`, "--no-preserve", data]);
  await run("cp", ["--archive", `${files}/.`, tree]);
}

async function inTree(program: string, args: readonly string[]): ReturnType<typeof run> {
  const env = { PATH: "/usr/sbin:/usr/bin", HOME: "/" };
  return await run(
    "unshare",
    ["--mount", "--propagation", "private", "sh", "-c", IN_TREE, "sh", tree, program, ...args],
    { env },
  );
}

const IN_TREE = `
root=$1; shift
mount -t proc proc "$root/proc"
mount --bind /dev/null "$root/dev/null"
exec chroot "$root" "$@"
`;
