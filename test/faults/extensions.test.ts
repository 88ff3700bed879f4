/** The life of a node's extensions: declared in both ways, fetched, merged, measured, updated, given up, looked into. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ExtensionLab, ExtensionWorld, kubernetes } from "../e2e/extension-lab.ts";
import { ashlar, removeLabOnSignal, ROOT } from "../e2e/world.ts";

const MINUTES = 60_000;
const NAME = "e2e-extensions";
/** Written into the configuration, which must be known before the server is started. */
const PORT = 18_055;
const SITE_V1 = { kind: "confext", name: "site", version: "v1", files: { "etc/site/motto": "one\n" } } as const;
const SITE_V2 = { ...SITE_V1, version: "v2", files: { "etc/site/motto": "two\n" } };
const DEBUG_TOOLS = {
  name: "debug-tools",
  version: "v1",
  files: { "usr/bin/strace-like": "#!/bin/sh\necho traced\n" },
};
/** What else an extension can bring: content of /opt, temporary files, and a unit that the configuration enables. */
const EXTRAS = {
  name: "extras",
  version: "v1",
  files: {
    "opt/extras/note": "from the extension\n",
    "usr/lib/tmpfiles.d/extras.conf": "d /run/extras 0755 root root -\n",
    "usr/lib/systemd/system/extras.service":
      "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=cat /opt/extras/note\n[Install]\nWantedBy=multi-user.target\n",
  },
};

const IMAGE = "/opt/extensions/kubernetes/kubernetes-v1.33.2-x86-64.raw";
/** The talk's file, with our server, and the shorter way beside it. */
const CONFIG = `variant: flatcar
version: 1.0.0
storage:
  files:
    - path: ${IMAGE}
      contents:
        source: http://10.0.2.2:${PORT}/extensions/kubernetes/kubernetes-v1.33.2-x86-64.raw
    - path: /etc/sysupdate.kubernetes.d/kubernetes-v1.33.transfer
      contents:
        inline: |
          [Source]
          Type=url-file
          Path=http://10.0.2.2:${PORT}/extensions/kubernetes/
          MatchPattern=kubernetes-v1.33.@v-%a.raw

          [Target]
          Path=/opt/extensions/kubernetes
          MatchPattern=kubernetes-v1.33.@v-%a.raw
          CurrentSymlink=/etc/extensions/kubernetes.raw
    - path: /etc/ashlar/extensions.yaml
      contents:
        inline: |
          extensions:
            - {name: site, version: v*, tier: opt-in, kind: confext, updates: automatic}
            - {name: extras, version: v*, tier: opt-in}
  links:
    - path: /etc/extensions/kubernetes.raw
      target: ${IMAGE}
systemd:
  units:
    - name: extras.service
      enabled: true
    - name: kubeadm.service
      enabled: true
      contents: |
        [Service]
        Type=oneshot
        RemainAfterExit=yes
        ExecStart=/usr/bin/kubeadm join
        ExecStart=touch /etc/kubernetes/joined
        [Install]
        WantedBy=multi-user.target
`;

const world = new ExtensionWorld("node-extensions");
let server: ChildProcess | undefined;
let lab: ExtensionLab;

removeLabOnSignal(NAME);

before(
  async () => {
    await world.make();
    await world.publish(kubernetes("v1.33.2"), SITE_V1, EXTRAS, DEBUG_TOOLS);
    server = spawn(join(ROOT, "ashlar"), ["release", "serve", "--repo", world.repository, "--port", String(PORT)], {
      stdio: "ignore",
    });
    lab = await ExtensionLab.up(NAME, world, CONFIG);
  },
  { timeout: 60 * MINUTES },
);

after(async () => {
  server?.kill();
  await ashlar("lab", "down", "--name", NAME);
});

test("what is declared is there when units of the configuration start", { timeout: 20 * MINUTES }, async () => {
  assert.equal((await lab.root("systemctl is-system-running --wait")).output, "running");
  assert.deepEqual(await lab.merged(), ["site v1", "extras v1", "kubernetes v1.33.2"]);
  assert.match(await lab.mustRun("journalctl --boot --unit=kubeadm --output=cat"), /Kubernetes v1\.33\.2/u);
  assert.equal(await lab.mustRun("systemctl is-active kubelet.service"), "active");
  assert.equal(await lab.mustRun("kubelet --version"), "Kubernetes v1.33.2");
  assert.equal(await lab.mustRun("cat /etc/site/motto"), "one");
  assert.equal(await lab.mustRun("readlink /etc/extensions/kubernetes.raw"), IMAGE);
});

test("units, temporary files and content of /opt that only an extension has", async () => {
  assert.equal(await lab.mustRun("cat /opt/extras/note"), "from the extension");
  assert.equal(await lab.mustRun("stat -c %F /run/extras"), "directory");
  assert.equal(await lab.mustRun("systemctl is-active extras.service"), "active");
  assert.match(await lab.mustRun("journalctl --boot --unit=extras --output=cat"), /from the extension/u);
});

test("/etc is read-only with a confext over it, and what Kubernetes writes there stays writable", async () => {
  assert.notEqual((await lab.root("touch /etc/anything")).status, 0);
  // What is below it, too: it comes to light while another confext is merged.
  assert.notEqual((await lab.root("touch /run/ashlar/extensions/base/etc/anything")).status, 0);
  assert.equal(await lab.mustRun("ls /etc/kubernetes"), "joined");
  await lab.mustRun("touch /etc/kubernetes/more /etc/cni/net.d/more && rm /etc/cni/net.d/more");
});

test(
  "each was measured before it was merged, and the node is proven with them",
  { timeout: 20 * MINUTES },
  async () => {
    const { merged } = await lab.status();
    const { status, node } = await lab.prove();
    assert.deepEqual([status, node.level], [0, "proven"], JSON.stringify(node.differences));
    assert.deepEqual(
      node.extensions.map(({ name, version, rootHash }) => ({ name, version, rootHash })).toSorted(byName),
      merged.map(({ name, version, rootHash }) => ({ name, version, rootHash })).toSorted(byName),
    );
  },
);

test(
  "a newer version is merged without a reboot: containers, nested mounts and the proof hold",
  { timeout: 60 * MINUTES },
  async () => {
    await startContainer();
    await lab.mustRun(
      "mkdir -p /run/nested && echo kept >/run/nested/file && mount --bind /run/nested /usr/lib/modprobe.d",
    );
    const { bootId } = await lab.status();
    const former = (await lab.prove()).node.identity;
    await world.publish(kubernetes("v1.33.5"));
    await lab.mustRun("ashlar agent extensions update --component kubernetes");
    assert.equal(await lab.mustRun("kubelet --version"), "Kubernetes v1.33.5");
    assert.match(
      await lab.mustRun("tr '\\0' ' ' </proc/$(systemctl show -P MainPID kubelet)/cmdline; readlink /etc/extensions/*"),
      /kubernetes-v1\.33\.5-x86-64\.raw/u,
    );
    assert.match(await lab.mustRun("ctr task ls"), /keep\s+\d+\s+RUNNING/u);
    assert.equal(await lab.mustRun("cat /usr/lib/modprobe.d/file && umount /usr/lib/modprobe.d"), "kept");
    assert.equal((await lab.status()).bootId, bootId);
    const { status, node } = await lab.prove();
    assert.deepEqual([status, node.level], [0, "proven"], JSON.stringify(node.differences));
    assert.notEqual(node.identity, former, "another extension is another identity");
  },
);

test("a version whose health check fails gives way to the former one", { timeout: 60 * MINUTES }, async () => {
  await world.publish(kubernetes("v1.33.6", "echo the kubelet does not answer; exit 1"));
  const { status, output } = await lab.root("ashlar agent extensions update --component kubernetes");
  assert.ok(status >= 64, output);
  assert.match(output, /the kubelet does not answer/u);
  assert.equal(await lab.mustRun("kubelet --version"), "Kubernetes v1.33.5");
  const [failure] = (await lab.status()).failures;
  assert.deepEqual([failure?.name, failure?.version], ["kubernetes", "v1.33.6"]);
  // The timer does not try it again.
  await lab.mustRun("systemctl start ashlar-component-update.service");
  assert.equal(await lab.mustRun("kubelet --version"), "Kubernetes v1.33.5");
  assert.match(await lab.mustRun("ctr task ls"), /keep\s+\d+\s+RUNNING/u);
  assert.equal((await lab.prove()).node.level, "proven");
});

test("a changed confext is merged without a reboot, by the timer's service", { timeout: 60 * MINUTES }, async () => {
  await world.publish(SITE_V2);
  await lab.mustRun("systemctl start ashlar-component-update.service");
  assert.equal(await lab.mustRun("cat /etc/site/motto"), "two");
  assert.notEqual((await lab.root("touch /etc/anything")).status, 0);
  assert.match(await lab.mustRun("ls /etc/kubernetes"), /joined/u);
});

test("a debug session is merged, measured, and over after its time", { timeout: 60 * MINUTES }, async () => {
  await lab.mustRun("ashlar agent extensions debug --with debug-tools --for 20");
  assert.equal(await lab.mustRun("strace-like"), "traced");
  const { node } = await lab.prove();
  assert.notEqual(node.level, "proven", "nobody has allowed it from outside");
  assert.ok(node.extensions.some(({ name }) => name === "debug-tools"));
  const end = Date.now() + 3 * MINUTES;
  while ((await lab.root("strace-like")).status === 0) assert.ok(Date.now() < end, "the session does not end");
  const tools = (await lab.merged()).filter((each) => each.startsWith("debug-tools"));
  assert.deepEqual(tools, []);
});

test("a reboot without any server brings back the same extensions", { timeout: 60 * MINUTES }, async () => {
  const merged = await lab.merged();
  server?.kill();
  if (server?.exitCode === null) await once(server, "exit");
  await lab.restart();
  assert.deepEqual(await lab.merged(), merged);
  assert.equal(await lab.mustRun("kubelet --version"), "Kubernetes v1.33.5");
  assert.equal(await lab.mustRun("systemctl show -P ActiveEnterTimestampMonotonic ashlar-extensions-fetch"), "0");
  const { status, node } = await lab.prove();
  assert.deepEqual([status, node.level], [0, "proven"], JSON.stringify(node.differences));
});

/** From a root file system of its own, since there is no registry here. */
async function startContainer(): Promise<void> {
  await lab.mustRun(`
    root=/var/lib/containerd/e2e
    mkdir -p $root/usr/bin $root/lib64 $root/usr/lib
    cp /usr/bin/sleep $root/usr/bin/
    for library in $(ldd /usr/bin/sleep | grep -o "/[^ ]*"); do
        mkdir -p $root$(dirname $library)
        cp -L $library $root$library
    done
    ctr run --detach --rootfs $root keep /usr/bin/sleep 100000`);
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
