import { canonicalJson } from "@ashlar/base";

export type NodeParts = {
  /** The Ignition JSON of this one node: its host name, its keys. */
  readonly nodeConfig: Uint8Array;
  /** The Ignition JSON that all nodes of the class share. */
  readonly classConfig: Uint8Array;
};

/**
 * The one Ignition config that is given to a node. It carries both parts as exact bytes, so that the node can measure
 * each by itself. Ignition lets a later config win over an earlier one: the class wins over the node's own part.
 *
 * The envelope has no spaces and its members in this order: the node takes anything else whole as its class part.
 */
export function provisioningEnvelope(parts: NodeParts): string {
  const merge = [parts.nodeConfig, parts.classConfig].map((part) => ({
    source: `data:;base64,${Buffer.from(part).toString("base64")}`,
  }));
  return JSON.stringify({ ignition: { version: IGNITION_VERSION, config: { merge } } });
}

/** A lab node's own part: its host name, and the lab's key for the user `core`. */
export function labNodeConfig(nodeName: string, sshPublicKey: string): string {
  return canonicalJson({
    ignition: { version: IGNITION_VERSION },
    passwd: { users: [{ name: "core", sshAuthorizedKeys: [sshPublicKey] }] },
    storage: {
      files: [
        {
          path: "/etc/hostname",
          mode: HOST_NAME_MODE,
          overwrite: true,
          contents: { source: `data:,${encodeURIComponent(`${nodeName}\n`)}` },
        },
      ],
    },
  });
}

const IGNITION_VERSION = "3.3.0";
const HOST_NAME_MODE = 0o644;
