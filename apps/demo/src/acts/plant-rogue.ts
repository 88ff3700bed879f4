import { findEffects, type Lab, plantInputs, readBootInputs } from "@ashlar/lab";
import { isProven, type Outcome, type Stage } from "../stage.ts";

/** A unit that leaves a mark when it runs, and a binary for it. */
const UNIT = `[Unit]
Description=Rogue
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c "touch /run/rogue-ran"
[Install]
WantedBy=multi-user.target`;

/** Everywhere that root can write on a node, some of it only by force. */
const PLACES = [
  "/etc/systemd/system",
  "/etc/kubernetes",
  "/etc/cni/net.d",
  "/run/systemd/system",
  "/root",
  "/home/core",
  "/opt",
  "/srv",
  "/tmp",
  "/var/lib",
  "/var/tmp",
  "/var/lib/systemd",
  "/var/lib/extensions/rogue/usr/lib/systemd/system",
  "/var/lib/containerd",
  "/var/lib/kubelet",
  "/var/lib/ashlar",
  "/var/lib/ashlar/persist/etc",
] as const;

const PLANT = `
mount -o remount,rw /etc
for place in ${PLACES.join(" ")}; do
  mkdir -p $place 2>/dev/null
  printf '%s\\n' '${UNIT}' > $place/rogue.service && cp /usr/bin/true $place/rogue && echo planted $place
done
mkdir -p /etc/systemd/system/multi-user.target.wants
ln -sf /etc/systemd/system/rogue.service /etc/systemd/system/multi-user.target.wants/
echo /opt/rogue > /etc/ld.so.preload
useradd --no-create-home --uid 0 --non-unique rogue
systemctl daemon-reload
systemctl start rogue.service
# Where a service might look for programs or for work that it left behind.
for program in modprobe runc containerd-shim-runc-v2 mount iptables; do
  for directory in /var/lib/containerd/opt/bin /var/lib/kubelet /usr/local/bin; do
    mkdir -p $directory 2>/dev/null
    printf '#!/bin/sh\ntouch /run/rogue-ran\n' 2>/dev/null > $directory/$program && chmod +x $directory/$program
  done
done
# What would tell a kubelet to run a program as root.
mkdir -p '/var/lib/kubelet/rogue~x'
printf '#!/bin/sh\ntouch /run/rogue-ran\n' > '/var/lib/kubelet/rogue~x/x' && chmod +x '/var/lib/kubelet/rogue~x/x'
printf 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nvolumePluginDir: /var/lib/kubelet\nauthentication: {anonymous: {enabled: true}, webhook: {enabled: false}}\nauthorization: {mode: AlwaysAllow}\n' \
  > /var/lib/kubelet/config.yaml
echo 'KUBELET_KUBEADM_ARGS="--kubeconfig= --bootstrap-kubeconfig="' > /var/lib/kubelet/kubeadm-flags.env
sync
[ -e /run/rogue-ran ] && echo ran`;

const LOOK = `
[ -e /run/rogue-ran ] && echo "the unit ran"
systemctl cat rogue.service >/dev/null 2>&1 && echo "the unit is loaded"
grep -q '^rogue:' /etc/passwd && echo "the user exists"
[ -e /etc/ld.so.preload ] && echo "the preload is set"
for place in ${PLACES.join(" ")}; do
  if [ -e $place/rogue ]; then
    if $place/rogue 2>/dev/null; then echo "left, can be run by hand: $place"; else echo "left, cannot be run: $place"; fi
  fi
done
true`;

/** Of docs/boot-inputs.yaml, planted too: words for systemd beside the measured command line. */
const FIRMWARE_VARIABLE = "systemd-options";

/** Root plants a unit, a binary and a user wherever root can write; after a reboot nothing of it is in effect. */
export async function plantRogue(stage: Stage, lab: Lab): Promise<Outcome> {
  const inputs = (await readBootInputs()).flatMap((group) => group.inputs.filter(({ id }) => id === FIRMWARE_VARIABLE));
  await plantInputs(lab, "node-1", inputs);
  stage.say("    planted: a command line for systemd in the firmware variable SystemdOptions");
  const planted = await stage.onNode(lab, "node-1", PLANT);
  const places = planted.output.split("\n").filter((line) => line.startsWith("planted ")).length;
  const ran = planted.output.split("\n").includes("ran");
  stage.say(`    and a unit in ${places} places${ran ? ", and the unit runs until the reboot" : ""}`);

  await stage.mustRun("lab", "restart", "node-1", "--name", lab.name);
  const { output } = await stage.onNode(lab, "node-1", LOOK);
  const lines = output.split("\n").filter((line) => line !== "");
  for (const line of lines) stage.say(`    ${line}`);
  const inEffect = lines.filter((line) => !line.startsWith("left, cannot be run: "));
  inEffect.push(...(await findEffects(lab, "node-1", inputs)));
  const { fleet } = await stage.proveLab(lab.name);
  const held = places > 0 && inputs.length === 1 && ran && inEffect.length === 0 && isProven(fleet);
  return {
    attempt: `root plants a unit, a binary and a user in ${places} places and a firmware variable, and reboots the node`,
    result:
      inEffect.length === 0
        ? `after the reboot none of it is in effect; the node is ${isProven(fleet) ? "proven" : fleet.verdict}`
        : `still in effect: ${inEffect.join("; ")}`,
    held,
    reach: "all that root may do on that node, until its next reboot",
    stoppedBy: "each boot makes /etc anew from measured files, and starts nothing from what is writable",
  };
}
