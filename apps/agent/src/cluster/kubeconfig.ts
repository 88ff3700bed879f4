import type { X509Certificate } from "node:crypto";

/** What the kubelet finds in `/etc/kubernetes` when it need not join. */
export type KubeconfigParts = {
  /** HOST:PORT. */
  readonly server: string;
  readonly cas: readonly X509Certificate[];
  /** Certificate and key in one file, which the kubelet replaces in time. */
  readonly clientCertificate: string;
};

export function pemOf(certificates: readonly X509Certificate[]): string {
  return certificates.map((each) => each.toString()).join("");
}

/**
 * A kubeconfig (kubernetes.io, client.config.k8s.io/v1 `Config`): JSON, which is YAML. Nothing in it can start a program:
 * no `exec`, no `auth-provider`.
 */
export function kubeconfig({ server, cas, clientCertificate }: KubeconfigParts): string {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "cluster",
        cluster: {
          server: `https://${server}`,
          "certificate-authority-data": Buffer.from(pemOf(cas)).toString("base64"),
        },
      },
    ],
    users: [{ name: "node", user: { "client-certificate": clientCertificate, "client-key": clientCertificate } }],
    contexts: [{ name: "node", context: { cluster: "cluster", user: "node" } }],
    "current-context": "node",
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
