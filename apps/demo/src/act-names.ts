/** The acts of the demo, in their order. */
export const ACT_NAMES = ["provision", "update", "kubelet", "attacks"] as const;
export type ActName = (typeof ACT_NAMES)[number];

export const ACT_SUMMARIES: Readonly<Record<ActName, string>> = {
  provision: "two nodes from one Butane file, proven to be one identity",
  update: "one node goes to the next release, then to one that is not healthy and back by itself",
  kubelet: "one node's kubelet is updated without a restart; a server that was tampered with is refused",
  attacks: "six attacks: a running node, a reboot, a disk, an image, forged evidence, a forgotten debug session",
};
