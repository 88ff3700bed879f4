import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { cacheDirectory, run } from "@ashlar/host";

/** The release of the reference that the vectors in test/vectors/butane were made with. */
const VERSION = "v0.23.0";

/** How many times each side is run where one run is short; medians are compared. */
export const ROUNDS = 5;

/** A node's config of the size of a Kubernetes worker's; each number gives another one. */
export function workerConfig(number: number): string {
  return `variant: flatcar
version: 1.0.0
passwd:
  users:
    - name: core
      ssh_authorized_keys:
        - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0Y8mYb0q0m4o8wq3m2v9yq8oQ3mQq1T8kQWJmH2gkS node-${number}
storage:
  files:
    - path: /etc/hostname
      mode: 0644
      contents: {inline: node-${number}}
    - path: /etc/sysctl.d/90-kubernetes.conf
      mode: 0644
      contents:
        inline: |
          net.ipv4.ip_forward = 1
          vm.overcommit_memory = 1
          kernel.panic = ${number}
    - path: /etc/systemd/network/10-node.network
      mode: 0644
      contents:
        inline: |
          [Match]
          Name=en*
          [Network]
          Address=10.${number >> 8}.${number & 255}.2/24
          Gateway=10.${number >> 8}.${number & 255}.1
          DNS=10.0.0.53
          LLDP=yes
          IPv6AcceptRA=no
systemd:
  units:
    - name: kubeadm.service
      enabled: true
      contents: |
        [Unit]
        Description=Join the cluster as node ${number}
        Requires=containerd.service
        After=containerd.service
        ConditionPathExists=!/etc/kubernetes/kubelet.conf
        [Service]
        Type=oneshot
        RemainAfterExit=yes
        ExecStart=/usr/bin/kubeadm join control-plane.example.org:6443 --config /etc/kubernetes/join-${number}.yaml
        [Install]
        WantedBy=multi-user.target
`;
}

/** The path of the reference, built once with Go and kept. */
export async function referenceProgram(): Promise<string> {
  const directory = join(cacheDirectory(), `butane-${VERSION}`);
  const program = join(directory, "internal");
  if (await exists(program)) return program;
  await mkdir(directory, { recursive: true });
  // In a module of its own, Go needs no list of versions, which not every proxy has.
  await writeFile(
    join(directory, "go.mod"),
    `module reference\n\ngo 1.25\n\nrequire github.com/coreos/butane ${VERSION}\n`,
  );
  try {
    await run("go", ["build", "-o", program, "github.com/coreos/butane/internal"], {
      cwd: directory,
      env: { GOFLAGS: "-mod=mod" },
    });
  } catch (error) {
    throw new AshlarError("missing-tool", "expected Go and its module proxy, to build the reference", { cause: error });
  }
  return program;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

/** The command line as users start it. */
export const ASHLAR: string = join(import.meta.dirname, "../../ashlar");

export async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Takes turns, so that whatever else the machine does weighs on both. */
export async function medians(
  own: () => Promise<unknown>,
  peer: () => Promise<unknown>,
): Promise<{ readonly ownMs: number; readonly peerMs: number }> {
  const times: [own: number[], peer: number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    times[0].push(await timeOf(own));
    times[1].push(await timeOf(peer));
  }
  return { ownMs: median(times[0]), peerMs: median(times[1]) };
}
