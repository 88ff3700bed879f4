/** Objects of Ashlar's kinds, for tests: valid ones, to be changed. */
const API_VERSION = "ashlar.dev/v1alpha1";

export function nodeClass(name: string, change: object = {}): object {
  const spec = {
    selector: { "ashlar.node-restriction.kubernetes.io/class": name },
    config: { butane: "variant: flatcar\nversion: 1.1.0\n" },
    release: "1.0.0",
    releases: { manifests: "manifests" },
    trust: { ekRoots: { name: "trust", key: "makers.pem" } },
    ...change,
  };
  return { apiVersion: API_VERSION, kind: "NodeClass", metadata: { name }, spec };
}

export function nodeProof(name: string): object {
  return { apiVersion: API_VERSION, kind: "NodeProof", metadata: { name } };
}

export function rollout(name: string, change: object = {}): object {
  const spec = {
    class: "worker",
    release: "1.1.0",
    canary: { nodes: 1, soakSeconds: 600 },
    waves: [{ name: "zone-a", selector: { "topology.kubernetes.io/zone": "a" } }],
    approval: "each-wave",
    approvedWaves: ["zone-a"],
    ...change,
  };
  return { apiVersion: API_VERSION, kind: "Rollout", metadata: { name }, spec };
}
