import { open } from "node:fs/promises";
import { levelWithNextBoot } from "@ashlar/identity";
import type { Lab } from "@ashlar/lab";
import type { Outcome, Proof, Stage } from "../stage.ts";

const NAME = "kubernetes";
export const FIRST_KUBERNETES = "v1.33.4";
export const NEXT_KUBERNETES = "v1.33.5";

/** A signed image of kubelet, kubeadm and kubectl. */
export async function buildKubernetes(stage: Stage, version: string): Promise<void> {
  const keys = ["--keys", stage.path("keys"), "--release", stage.path("image")];
  const out = stage.path("extensions");
  await stage.mustRun("extension", "build", "--recipe", NAME, "--version", version, ...keys, "--out", out);
}

export async function publishKubernetes(stage: Stage, version: string): Promise<void> {
  const place = ["--repo", stage.path("repository"), "--keys", stage.path("keys")];
  await stage.mustRun("extension", "publish", ...place, imageIn(stage.path("extensions"), version));
}

/**
 * One node's kubelet goes to the next patch version while a container runs on; nothing restarts. What somebody has put
 * where systemd-sysext would find it does not come along.
 */
export async function updateKubelet(stage: Stage, lab: Lab): Promise<Outcome> {
  const before = await stage.onNode(lab, "node-1", START_CONTAINER);
  await stage.onNode(lab, "node-1", PLANT_EXTENSION);
  const to = ["--component", NAME, "--to", NEXT_KUBERNETES];
  const { nodes } = await stage.update("--lab", lab.name, ...to, "--only", "node-1");
  const bytes = nodes[0]?.bytes;
  const after = await stage.onNode(lab, "node-1", SHOW_CONTAINER);
  const { output: kubelet } = await stage.onNode(lab, "node-1", "kubelet --version; ls /usr/bin/rogue");
  const proof = await stage.proveLab(lab.name);
  const runs = versionsOf(proof);
  const ranOn = before.status === 0 && after.status === 0 && before.output === after.output;
  const megabytes = (count: number): string => `${(count / 1e6).toFixed(1)} MB`;
  const fetched = bytes ? `, ${megabytes(bytes.fetched)} fetched of ${megabytes(bytes.total)}` : "";
  const container = ranOn ? "its container runs on" : `its container does not: ${after.output}`;
  return {
    attempt: `node-1's kubelet is updated to ${NEXT_KUBERNETES}, node-2's is not; an unsigned extension lies in wait`,
    result: `${runs.join(", ")}; ${container}; nothing restarted${fetched}`,
    held:
      ranOn &&
      kubelet.startsWith(`Kubernetes ${NEXT_KUBERNETES}`) &&
      /rogue.*No such file/u.test(kubelet) &&
      runs.join() === `node-1 ${NEXT_KUBERNETES} proven,node-2 ${FIRST_KUBERNETES} proven`,
  };
}

/** Somebody changes the image on the server: in each of many places one bit. Then somebody removes the signature on the node. */
export async function refuseTampered(stage: Stage, lab: Lab): Promise<Outcome> {
  const names = ["raw", "blocks"].map((suffix) =>
    imageIn(stage.path("repository", "extensions", NAME), NEXT_KUBERNETES, suffix),
  );
  const to = ["--component", NAME, "--to", NEXT_KUBERNETES];
  const { status, nodes } = await withFlippedBits(names, async () =>
    stage.update("--lab", lab.name, ...to, "--only", "node-2"),
  );
  const { output: kubelet } = await stage.onNode(lab, "node-2", "kubelet --version");
  const { output: unsigned } = await stage.onNode(lab, "node-2", MERGE_UNSIGNED);
  const reason = /^set aside +kubernetes .*: (?<reason>.*signature.*)$/mu.exec(unsigned)?.groups?.["reason"];
  const runs = versionsOf(await stage.proveLab(lab.name));
  return {
    attempt: `the server's image of ${NEXT_KUBERNETES} is tampered with, and node-2 is told to take it; then its own has no signature`,
    result: `refused: ${nodes[0]?.reason?.message ?? "no reason given"}; refused: ${reason ?? unsigned}; ${runs[1] ?? "node-2 is missing"}`,
    held:
      status === 1 &&
      kubelet === `Kubernetes ${FIRST_KUBERNETES}` &&
      reason !== undefined &&
      runs[1] === `node-2 ${FIRST_KUBERNETES} proven`,
  };
}

function imageIn(directory: string, version: string, suffix: string = "raw"): string {
  return `${directory}/${NAME}-${version}-x86-64.${suffix}`;
}

function versionsOf({ fleet }: Proof): string[] {
  return fleet.nodes.map((node) => {
    const version = node.extensions.find(({ name }) => name === NAME)?.version ?? "without it";
    return `${node.name} ${version} ${levelWithNextBoot(node)}`;
  });
}

async function withFlippedBits<T>(paths: readonly string[], work: () => Promise<T>): Promise<T> {
  for (const path of paths) await flipBits(path);
  try {
    return await work();
  } finally {
    for (const path of paths) await flipBits(path);
  }
}

/** So often that a node, which fetches only what it lacks, meets one. A second time takes it back. */
async function flipBits(path: string): Promise<void> {
  await using file = await open(path, "r+");
  const { size } = await file.stat();
  const byte = Buffer.alloc(1);
  for (let position = 0; position < size; position += FLIP_DISTANCE_BYTES) {
    await file.read(byte, 0, 1, position);
    byte[0] = (byte[0] ?? 0) ^ 1;
    await file.write(byte, 0, 1, position);
  }
}

const FLIP_DISTANCE_BYTES = 4096;

/** Prints the container's process ID and when that started. */
const SHOW_CONTAINER = `
set -e
pid=$(ctr task ls | awk '$1 == "demo" && $3 == "RUNNING" { print $2 }')
test -n "$pid"
echo "$pid $(awk '{ print $22 }' "/proc/$pid/stat")"`;

/** The node's own /usr is all that the container needs: there is no registry to pull an image from. */
const START_CONTAINER = `
set -e
if ! ctr task ls | grep -q '^demo .*RUNNING'; then
  root=/var/lib/containerd/demo
  mkdir -p $root/usr $root/proc $root/sys $root/dev $root/run
  for directory in bin lib lib64; do ln -sfn usr/$directory $root/$directory; done
  ctr run --detach --rootfs --mount type=bind,src=/usr,dst=/usr,options=rbind:ro $root demo /usr/bin/sleep infinity
fi
${SHOW_CONTAINER}`;

/** Writes zeros over the signature of a copy, has it merged, and puts the signed image back. */
const MERGE_UNSIGNED = `
set -e
image=${imageIn(`/opt/extensions/${NAME}`, FIRST_KUBERNETES)}
mv "$image" "$image.signed"
cp --sparse=always "$image.signed" "$image"
last=$(($(stat -c %s "$image") - 1048576))
place=$(tail -c 1048576 "$image" | grep -abo '{"rootHash"' | cut -d : -f 1)
dd if=/dev/zero of="$image" bs=1 seek=$((last + place)) count=4096 conv=notrunc status=none
ashlar agent extensions apply
mv "$image.signed" "$image"
ashlar agent extensions apply >/dev/null`;

/** What plain systemd-sysext would merge: a directory, which cannot even be signed. */
const PLANT_EXTENSION = `
set -e
rogue=/var/lib/extensions/rogue/usr
mkdir -p $rogue/bin $rogue/lib/extension-release.d
echo ID=_any >$rogue/lib/extension-release.d/extension-release.rogue
echo '#!/bin/sh' >$rogue/bin/rogue`;
