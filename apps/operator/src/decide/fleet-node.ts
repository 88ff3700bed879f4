import type { MarkedNode, NodeProofStatus } from "@ashlar/kube";
import type { FleetNode, FleetProof } from "@ashlar/rollout";

const CONTROL_PLANE = "node-role.kubernetes.io/control-plane";

/** A node as a rollout sees it: what was proved of it is about the boot that its kubelet reports, or says nothing. */
export function fleetNodeOf(node: MarkedNode, proof: NodeProofStatus | undefined): FleetNode {
  const { name, labels, isReady, cordon } = node;
  const isControlPlane = Object.hasOwn(labels, CONTROL_PLANE);
  return { name, labels, isControlPlane, isReady, cordon, proof: proofOf(node, proof) };
}

function proofOf({ bootId }: MarkedNode, proof: NodeProofStatus | undefined): FleetProof {
  const proven = proof?.conditions?.find(({ type }) => type === "Proven");
  if (proof === undefined || proven === undefined) return { kind: "unknown", message: "it was never asked" };
  const { status, reason, message } = proven;
  const why = message === "" ? reason : message;
  if (proof.bootId !== bootId) return { kind: "unknown", message: "it has not been proven in the boot that it is in" };
  if (status === "True" && proof.release !== undefined) return { kind: "proven", release: proof.release };
  const isMismatch = proof.level === "mismatch" || proof.nextBoot?.level === "mismatch";
  return status === "False" && isMismatch ? { kind: "mismatch", message: why } : { kind: "unknown", message: why };
}
