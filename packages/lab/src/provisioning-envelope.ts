import { canonicalJson, type Json } from "@ashlar/base";
import { nameServerFile } from "./name-server/node-part.ts";
import { clusterFiles, type ClusterMembership } from "./cluster/node-part.ts";

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

export type LabUpdates = {
  /** As a node reaches it. */
  readonly repositoryUrl: string;
  /** The pin of the key that may give orders. */
  readonly operatorPin: string;
  /** TUF root metadata. Undefined: what is in the image. */
  readonly releaseRoot: Uint8Array | undefined;
};

export type LabParts = {
  readonly updates?: LabUpdates | undefined;
  readonly cluster?: ClusterMembership | undefined;
  /** Of this computer's 127.0.0.1. */
  readonly namePort?: number | undefined;
};

/**
 * A lab node's own part: its host name, the lab's key for the user `core`, the lab's name server, where it gets updates from,
 * and which cluster it joins. What the class part says about any of it wins.
 */
export function labNodeConfig(
  nodeName: string,
  sshPublicKey: string,
  { updates, cluster, namePort }: LabParts = {},
): string {
  const files = [textFile("/etc/hostname", `${nodeName}\n`)];
  if (namePort !== undefined) {
    const { path, text } = nameServerFile(namePort);
    files.push(textFile(path, text));
  }
  if (updates !== undefined) files.push(textFile("/etc/ashlar/update.yaml", updatePolicy(updates)));
  if (updates?.releaseRoot !== undefined) {
    files.push(textFile("/etc/ashlar/release-root.json", Buffer.from(updates.releaseRoot).toString("utf8")));
  }
  if (cluster !== undefined) {
    files.push(...clusterFiles(nodeName, cluster).map(({ path, text, mode }) => textFile(path, text, mode)));
  }
  return canonicalJson({
    ignition: { version: IGNITION_VERSION },
    passwd: { users: [{ name: "core", sshAuthorizedKeys: [sshPublicKey] }] },
    storage: { files },
  });
}

/** Nothing happens on a lab's node by itself: it waits for orders. */
function updatePolicy({ repositoryUrl, operatorPin }: LabUpdates): string {
  return `repository: ${repositoryUrl}\nchannel: stable\noperators:\n  - ${operatorPin}\nreboot: never\n`;
}

function textFile(path: string, text: string, mode = FILE_MODE): { [member: string]: Json } {
  return { path, mode, overwrite: true, contents: { source: `data:,${encodeURIComponent(text)}` } };
}

const IGNITION_VERSION = "3.3.0";
const FILE_MODE = 0o644;
