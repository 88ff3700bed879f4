import { printLine } from "@ashlar/host/terminal";
import { restoreCluster } from "../cluster/restore-cluster.ts";

/** @param root what `/` is */
export async function clusterCommand(root: string): Promise<void> {
  const { restored, message } = await restoreCluster(root, new Date());
  printLine(restored ? `the kubelet goes on with ${message}` : `the kubelet waits for the node to join: ${message}`);
}
