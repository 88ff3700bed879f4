import { writeFile } from "node:fs/promises";
import { levelWithNextBoot } from "@ashlar/identity";
import type { Lab } from "@ashlar/lab";
import { isProven, type Outcome, type Stage } from "../stage.ts";
import { Cluster } from "./cluster.ts";
import { IMAGE } from "./workload.ts";

const NODE = "node-1";
const POD = "intruder";
/** What the kubelet would call a pod from its directory of manifests. */
const STATIC_POD = `static-${POD}-${NODE}`;

/** Root on the node in all but name. */
const POD_MANIFEST: string = `apiVersion: v1
kind: Pod
metadata: {name: ${POD}}
spec:
  nodeName: ${NODE}
  hostPID: true
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  automountServiceAccountToken: false
  containers:
    - name: ${POD}
      image: ${IMAGE}
      command: [sh, -c, "exec busybox sleep 86400"]
      securityContext: {privileged: true, runAsUser: 0}
`;

/** Prints a line for each thing that it could do. Runs as root in the node's own namespaces, by way of the first process. */
const PLANT = `
for place in /usr/bin /usr/lib/cni /usr/lib/systemd/system /etc/systemd/system; do
  touch $place/${POD} 2>/dev/null && echo "written without force: $place"
done
mount -o remount,rw /etc
mkdir -p /etc/kubernetes/manifests /etc/cni/net.d /opt/cni/bin /etc/systemd/system/multi-user.target.wants
cat > /etc/kubernetes/manifests/${POD}.yaml <<END && echo "a manifest of a static pod"
apiVersion: v1
kind: Pod
metadata: {name: static-${POD}, namespace: default}
spec:
  containers: [{name: ${POD}, image: ${IMAGE}, command: [sh, -c, "exec busybox sleep 86400"]}]
END
printf '#!/bin/sh\\ntouch /run/${POD}-network\\n' > /opt/cni/bin/${POD}
chmod +x /opt/cni/bin/${POD} && echo "a network plug-in"
echo '{"cniVersion":"1.0.0","name":"${POD}","plugins":[{"type":"${POD}"}]}' > /etc/cni/net.d/99-${POD}.conflist &&
  echo "a configuration of the pods' network"
cat > /etc/systemd/system/${POD}.service <<END && echo "a unit"
[Service]
Type=oneshot
ExecStart=/bin/sh -c "touch /run/${POD}-ran"
[Install]
WantedBy=multi-user.target
END
ln -sf ../${POD}.service /etc/systemd/system/multi-user.target.wants/
systemctl daemon-reload && systemctl start ${POD}.service
test -e /run/${POD}-ran && echo "which runs until the reboot"
cat /var/lib/kubelet/pki/kubelet-client-current.pem >/dev/null && echo "the kubelet's key is read"
sync`;

/** Prints a line for each thing that is left. */
const LOOK = `
for path in /run/${POD}-ran /run/${POD}-network /etc/kubernetes/manifests/${POD}.yaml /opt/cni/bin/${POD} \\
  /etc/cni/net.d/99-${POD}.conflist /etc/systemd/system/${POD}.service /usr/bin/${POD} /usr/lib/cni/${POD}; do
  if [ -e $path ]; then echo $path; fi
done`;

/** A privileged pod plants what would bring it back; it is deleted, the node is restarted, and nothing of it is left. */
export async function runPrivilegedPod(stage: Stage, lab: Lab): Promise<Outcome> {
  const cluster = new Cluster(stage, lab);
  const path = stage.path("intruder.yaml");
  await writeFile(path, POD_MANIFEST);
  await cluster.show("apply", "-f", path);
  await cluster.kubectl("wait", "--for=condition=Ready", `pod/${POD}`, "--timeout=-1s");
  const enter = ["busybox", "nsenter", "-t", "1", "-m", "-u", "-i", "-n", "-p", "--", "/bin/sh", "-c", PLANT];
  const done = linesOf(await cluster.kubectl("exec", POD, "--", ...enter));
  for (const line of done) stage.say(`    ${line}`);
  await cluster.show("delete", "pod", POD);
  const { fleet: meanwhile } = await stage.proveLab(lab.name);

  await stage.mustRun("lab", "restart", NODE, "--name", lab.name);
  await cluster.waitForPods();
  const left = linesOf((await stage.onNode(lab, NODE, LOOK)).output);
  const pods = linesOf(await cluster.kubectl("get", "pods", "-o", "name"));
  if (pods.includes(`pod/${STATIC_POD}`)) left.push("the static pod");
  const { fleet } = await stage.proveLab(lab.name);
  const forced = done.filter((line) => !line.startsWith("written without force"));
  const node = meanwhile.nodes.find(({ name }) => name === NODE);
  return {
    attempt: `a privileged pod on ${NODE} remounts /etc, plants a static pod, a network plug-in and a unit, and reads the kubelet's key`,
    result: `meanwhile ${node === undefined ? "missing" : levelWithNextBoot(node)}, since what root does to a running node is not in its evidence; after the reboot ${
      left.length === 0 ? "nothing of it is left" : `still there: ${left.join(", ")}`
    }; ${isProven(fleet) ? "both nodes are proven, and serve" : fleet.verdict}`,
    held: done.length === forced.length && forced.length === PLANTED && left.length === 0 && isProven(fleet),
    reach:
      "all that root may do on that node until its next reboot; for longer, what it has read: the kubelet's key and the Secrets of pods there",
    stoppedBy:
      "/usr cannot be written; a worker's kubelet has no directory of static pods, and each boot makes /etc and its network anew",
  };
}

/** Lines of the script above when all has gone as an intruder wants it. */
const PLANTED = 6;

function linesOf(output: string): string[] {
  return output.split("\n").filter((line) => line !== "");
}
