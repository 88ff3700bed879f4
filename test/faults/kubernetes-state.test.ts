/**
 * What root leaves behind for the kubelet, containerd and the network's plug-ins: nothing of it runs after a restart, and a
 * node that has joined a cluster goes on with the one that its configuration names.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { declaring, ExtensionLab, ExtensionWorld } from "../e2e/extension-lab.ts";
import { ashlar, removeLabOnSignal } from "../e2e/world.ts";

const MINUTES = 60_000;
const NAME = "e2e-kubernetes-state";
const NODE = "node-1";
const KUBERNETES = ["{name: kubernetes, version: v1.33.*, tier: community}"];
/** Nobody listens there. */
const SERVER = "10.0.2.2:18091";

const world = new ExtensionWorld("kubernetes-state");
const certificates = join(world.directory, "certificates");
let lab: ExtensionLab;

removeLabOnSignal(NAME);

before(
  async () => {
    await world.make();
    // The version that the demo builds, too.
    await world.publishRecipe("kubernetes", "--version", "v1.33.4");
    await makeCertificates();
    lab = await ExtensionLab.up(NAME, world, declaring(KUBERNETES));
  },
  { timeout: 60 * MINUTES },
);

after(async () => await ashlar("lab", "down", "--name", NAME));

test("a cluster that nothing measured names", { timeout: 60 * MINUTES }, async () => {
  await plant("--kubeconfig= --bootstrap-kubeconfig=");
  await plantIdentity("ca");
  await lab.restart();
  await assertNothingRan();
  assert.equal((await lab.root("systemctl is-active kubelet.service")).output, "inactive");
  assert.match(
    await lab.mustRun("journalctl --boot --unit=ashlar-cluster --output=cat"),
    /does not say which cluster/u,
  );
  assert.equal(await lab.mustRun("find /etc/kubernetes/ /etc/cni/net.d/ -mindepth 1"), "");
  assert.equal(
    (await lab.root("ls /var/lib/kubelet/config.yaml /var/lib/containerd/opt /var/lib/cni/rogue")).status,
    2,
  );
  // Removed in the background, and with it what it has needed of the disk.
  await lab.mustRun("systemctl start ashlar-discard && ! ls -d /var/lib/ashlar-discarded");
  await assertProven();
});

test("the cluster that it has joined, named by a unit's line", { timeout: 60 * MINUTES }, async () => {
  await plant("--image-credential-provider-config=/var/lib/kubelet/rogue.yaml");
  await plantIdentity("ca");
  await ashlar("lab", "restart", NODE, "--name", NAME, "--config", await joiningConfig());
  await lab.mustRun("/usr/lib/ashlar/health.d/kubernetes");
  assert.equal(
    await lab.mustRun("tr '\\0' ' ' </proc/$(systemctl show -P MainPID kubelet)/cmdline"),
    "/usr/bin/kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf --config=/usr/lib/kubernetes/kubelet.yaml --config-dir=/etc/kubelet.conf.d",
  );
  assert.match(await lab.mustRun("cat /etc/kubernetes/kubelet.conf"), new RegExp(`"server": "https://${SERVER}"`, "u"));
  assert.match(
    await lab.mustRun("journalctl --boot --unit=kubelet --output=cat"),
    new RegExp(`https://${SERVER}`, "u"),
  );
  assert.equal(await lab.mustRun("systemctl show -P ConditionResult kubeadm.service"), "no", "it need not join again");
  await assertNothingRan();
  await assertProven();
});

test("the CA of somebody else in place of the one that was kept", { timeout: 60 * MINUTES }, async () => {
  await plant("--kubeconfig= --bootstrap-kubeconfig=");
  await plantIdentity("other");
  await ashlar("lab", "restart", NODE, "--name", NAME, "--config", await joiningConfig());
  assert.equal((await lab.root("systemctl is-active kubelet.service")).output, "inactive");
  assert.match(
    await lab.mustRun("journalctl --boot --unit=ashlar-cluster --output=cat"),
    /cluster-ca\.crt: expected a CA with sha256:\w{64}, found sha256:/u,
  );
  await assertNothingRan();
  await assertProven();
});

/** Everything that a kubelet, containerd or a plug-in has ever been told by; whatever runs leaves a mark in /var/lib/rogue. */
async function plant(flags: string): Promise<void> {
  await lab.mustRun(PLANT.replaceAll("FLAGS", flags));
}

const PLANT = `
set -e
mount -o remount,rw /etc
mkdir -p /var/lib/rogue
program() {
    mkdir -p "$(dirname "$1")"
    printf '#!/bin/sh\\n: >/var/lib/rogue/%s\\necho "{\\"status\\":\\"Success\\",\\"capabilities\\":{\\"attach\\":false}}"\\n' "$2" >"$1"
    chmod 755 "$1"
}
mkdir -p /var/lib/kubelet /etc/kubernetes/manifests /etc/default /etc/kubelet.conf.d /etc/sysconfig
cat >/var/lib/kubelet/config.yaml <<'END'
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
failSwapOn: false
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
staticPodPath: /etc/kubernetes/manifests
volumePluginDir: /var/lib/kubelet/flex
END
cp /var/lib/kubelet/config.yaml /var/lib/kubelet/instance-config.yaml
cp /var/lib/kubelet/config.yaml /etc/kubelet.conf.d/rogue.conf
program /var/lib/kubelet/flex/rogue~x/x flex
program /var/lib/kubelet/rogue/provider credential-provider
program /var/lib/kubelet/volumeplugins/rogue~x/x flex-other
printf 'KUBELET_KUBEADM_ARGS="%s"\\n' 'FLAGS' >/var/lib/kubelet/kubeadm-flags.env
for file in /etc/default/kubelet /etc/sysconfig/kubelet; do
    echo 'KUBELET_EXTRA_ARGS="--kubeconfig= --bootstrap-kubeconfig= --volume-plugin-dir=/var/lib/kubelet/volumeplugins"' >$file
done
for file in kubelet bootstrap-kubelet; do
    cat >/etc/kubernetes/$file.conf <<END
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1", insecure-skip-tls-verify: true}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
users:
- name: u
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: /usr/bin/touch, args: [/var/lib/rogue/exec-$file], interactiveMode: Never}
END
done
cat >/etc/kubernetes/manifests/rogue.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: rogue}
spec:
  hostNetwork: true
  containers: [{name: rogue, image: rogue, securityContext: {privileged: true}}]
END
echo '{"cniVersion":"1.0.0","name":"rogue","plugins":[{"type":"rogue"}]}' >/etc/cni/net.d/00-rogue.conflist
for directory in /opt/cni/bin /var/lib/cni /var/lib/containerd/opt/bin /var/lib/kubelet/plugins /var/lib/kubelet/device-plugins; do
    for name in rogue runc containerd-shim-runc-v2 bridge loopback; do program $directory/$name $name; done
done
mkdir -p /var/lib/kubelet/pods/rogue/volumes /var/lib/kubelet/plugins_registry
sync`;

/** The certificates of a node that has joined, with the CA of that name; in `joined` is what its own CA has issued. */
async function plantIdentity(ca: "ca" | "other"): Promise<void> {
  await lab.put(await readFile(join(certificates, `${ca}.crt`)), "/var/lib/kubelet/pki/cluster-ca.crt");
  await lab.put(await readFile(join(certificates, "node.pem")), "/var/lib/kubelet/pki/kubelet-client-1.pem");
  await lab.mustRun(
    "ln -sfn /var/lib/kubelet/pki/kubelet-client-1.pem /var/lib/kubelet/pki/kubelet-client-current.pem && sync",
  );
}

async function makeCertificates(): Promise<void> {
  await mkdir(certificates, { recursive: true });
  const openssl = (...args: readonly string[]): void => {
    execFileSync("openssl", args, { cwd: certificates, stdio: ["ignore", "ignore", "pipe"] });
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"];
  for (const name of ["ca", "other"]) {
    openssl("req", "-x509", ...key, "-keyout", `${name}.key`, "-out", `${name}.crt`, "-subj", "/CN=kubernetes");
  }
  openssl("pkey", "-in", "ca.key", "-pubout", "-outform", "DER", "-out", "ca.der");
  openssl("req", ...key, "-keyout", "node.key", "-out", "node.csr", "-subj", `/O=system:nodes/CN=system:node:${NODE}`);
  openssl("x509", "-req", "-in", "node.csr", "-out", "node.crt", "-CA", "ca.crt", "-CAkey", "ca.key");
  const parts = ["node.crt", "node.key"].map(async (name) => await readFile(join(certificates, name)));
  await writeFile(join(certificates, "node.pem"), Buffer.concat(await Promise.all(parts)));
}

/** A worker whose unit joins a cluster, as people write it. */
async function joiningConfig(): Promise<string> {
  const digest = execFileSync("openssl", ["dgst", "-sha256", "-r", join(certificates, "ca.der")], { encoding: "utf8" });
  const path = join(world.directory, "joining.bu");
  const unit = `systemd:
  units:
    - name: kubeadm.service
      enabled: true
      contents: |
        [Unit]
        Description=Join the cluster
        After=containerd.service
        ConditionPathExists=!/etc/kubernetes/kubelet.conf
        [Service]
        Type=oneshot
        RemainAfterExit=yes
        TimeoutStartSec=20s
        ExecStart=/usr/bin/kubeadm join ${SERVER} --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:${digest.slice(0, 64)}
        [Install]
        WantedBy=multi-user.target
`;
  await writeFile(path, declaring(KUBERNETES, unit));
  return path;
}

async function assertNothingRan(): Promise<void> {
  // A kubelet that was told by one of them would have looked for its plug-ins by now.
  await lab.root("for i in 1 2 3 4 5 6; do systemctl is-active --quiet kubelet || break; sleep 5; done");
  assert.equal(await lab.mustRun("ls /var/lib/rogue"), "", "what root had left has run");
}

async function assertProven(): Promise<void> {
  const { status, node } = await lab.prove();
  assert.deepEqual([status, node.level], [0, "proven"], JSON.stringify(node.differences));
}
