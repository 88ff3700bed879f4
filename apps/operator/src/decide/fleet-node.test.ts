import assert from "node:assert/strict";
import { test } from "node:test";
import type { MarkedNode, NodeProofStatus } from "@ashlar/kube";
import { fleetNodeOf } from "./fleet-node.ts";

const NODE: MarkedNode = {
  name: "a",
  uid: "a",
  resourceVersion: "1",
  createdAt: "2026-11-30T09:00:00Z",
  labels: {},
  bootId: "boot-2",
  internalAddress: "10.0.0.1",
  isReady: true,
  cordon: "none",
  taints: [],
  marks: {},
  markedSince: undefined,
};

function proof(status: "True" | "False" | "Unknown", change: Partial<NodeProofStatus> = {}): NodeProofStatus {
  const said = { type: "Proven", status, reason: "Because", message: "", lastTransitionTime: "2026-11-30T10:00:00Z" };
  return { level: "proven", release: "1.0.0", bootId: "boot-2", conditions: [said], ...change };
}

test("a proof counts for the boot that the kubelet reports; what is not proven is unknown, or a mismatch that was found", () => {
  const cases: readonly (readonly [what: string, status: NodeProofStatus | undefined, found: string])[] = [
    ["proven", proof("True"), "proven"],
    ["in another boot", proof("True", { bootId: "boot-1" }), "unknown"],
    ["never asked", undefined, "unknown"],
    ["never judged", {}, "unknown"],
    ["too old", proof("Unknown"), "unknown"],
    ["a mismatch", proof("False", { level: "mismatch" }), "mismatch"],
    ["a mismatch at its next boot", proof("False", { nextBoot: { level: "mismatch" } }), "mismatch"],
    ["a mismatch of a former boot", proof("False", { level: "mismatch", bootId: "boot-1" }), "unknown"],
    ["vouched for by nobody", proof("False", { level: "reported" }), "unknown"],
    ["a mismatch that is too old to count", proof("Unknown", { level: "mismatch" }), "unknown"],
  ];
  for (const [what, status, found] of cases) assert.equal(fleetNodeOf(NODE, status).proof.kind, found, what);
});

test("nodes of the control plane are known by their label", () => {
  const labels = { "node-role.kubernetes.io/control-plane": "" };
  assert.equal(fleetNodeOf({ ...NODE, labels }, undefined).isControlPlane, true);
  assert.equal(fleetNodeOf(NODE, undefined).isControlPlane, false);
});
