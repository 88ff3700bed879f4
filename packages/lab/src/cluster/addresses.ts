/** Where QEMU's user network lets a machine reach this computer's 127.0.0.1. */
export const HOST_ADDRESS = "10.0.2.2";
/** The second card of a machine: slot 16 of the root bus, which systemd names enp0s16 (systemd.net-naming-scheme(7)). */
export const LAB_CARD_SLOT = "0x10";
export const LAB_CARD = "enp0s16";
export const POD_NETWORK = "10.244.0.0/16";
/** kubeadm's default, which the extension's kubelet.yaml knows the DNS server's address in. */
export const SERVICE_NETWORK = "10.96.0.0/12";
export const KUBELET_PORT = 10_250;
/** A Service of this NodePort can be asked from this computer, too. */
export const SERVICE_NODE_PORT = 30_080;

const FIRST_NODE = 11;

/** The address of node-1, node-2, ... among the lab's machines. */
export function nodeAddress(nodeName: string): string {
  return `10.90.0.${FIRST_NODE - 1 + numberOf(nodeName)}`;
}

/** A card's address that no other machine of the lab has; locally administered (IEEE 802, clause 8.4). */
export function nodeCardAddress(nodeName: string): string {
  return `52:54:00:5a:00:${numberOf(nodeName).toString(16).padStart(2, "0")}`;
}

function numberOf(nodeName: string): number {
  return Number(nodeName.replace(/^node-/u, ""));
}
