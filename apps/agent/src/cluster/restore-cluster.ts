/**
 * Brings back what a kubelet needs to go on after a reboot without joining again. Of what the last boot has left, it takes
 * certificates alone, and only when they fit what the measured configuration says.
 */
import { mkdir, readdir, readlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AshlarError, messageOf } from "@ashlar/base";
import { CLUSTER_FILE, declaredCluster } from "@ashlar/declaration";
import { readLimited, readOptional, writeFileAtomically } from "@ashlar/host";
import { endOfClientCertificate, pinnedCas } from "./certificates.ts";
import { kubeconfig, pemOf } from "./kubeconfig.ts";

/** The kubelet's own name for it: a link to the certificate that counts. */
const CLIENT_CERTIFICATE = "var/lib/kubelet/pki/kubelet-client-current.pem";
/** Copied there by kubelet.service of the kubernetes extension, in bytes that nobody believes. */
const KEPT_CA = "var/lib/kubelet/pki/cluster-ca.crt";
const UNITS = "etc/systemd/system";
const MAX_BYTES = 256 * 1024;
const MAX_UNITS = 1024;

export type RestoredCluster = { readonly restored: boolean; readonly message: string };

/**
 * @param root what `/` is
 * @returns what was done, or why a node that has joined has to join again
 * @throws AshlarError `untrusted`, `malformed`, `limit`: what was kept is not what it has to be
 */
export async function restoreCluster(root: string, now: Date): Promise<RestoredCluster> {
  const at = (path: string): string => join(root, path);
  const { cluster, problems } = declaredCluster(await readUnits(at(UNITS)), await readText(at(CLUSTER_FILE)));
  if (cluster === undefined) {
    const why = problems.length === 0 ? [`no unit joins one, and there is no ${CLUSTER_FILE}`] : problems;
    return {
      restored: false,
      message: `the configuration does not say which cluster is this node's: ${why.join("\n")}`,
    };
  }
  const ca = await readText(at(KEPT_CA));
  if (ca === undefined) return { restored: false, message: "no CA was kept when this node joined" };
  const cas = named(KEPT_CA, () => pinnedCas(ca, cluster.caHashes));
  const client = await readText(await clientCertificate(at(CLIENT_CERTIFICATE)));
  if (client === undefined) return { restored: false, message: "no client certificate was kept" };
  const end = named(CLIENT_CERTIFICATE, () => endOfClientCertificate(client, cas));
  if (end <= now) return { restored: false, message: `the client certificate ended at ${end.toISOString()}` };

  const { server, path } = cluster;
  await mkdir(at("etc/kubernetes/pki"), { recursive: true });
  await writeFileAtomically(at("etc/kubernetes/pki/ca.crt"), pemOf(cas));
  const config = kubeconfig({ server, cas, clientCertificate: `/${CLIENT_CERTIFICATE}` });
  await writeFileAtomically(at("etc/kubernetes/kubelet.conf"), config, 0o600);
  return { restored: true, message: `https://${server}, as ${path} says; its CA is the one that was kept` };
}

/** Where the link leads within its own directory, wherever else it may lead. */
async function clientCertificate(path: string): Promise<string> {
  const target = await readlink(path).catch((error: unknown) => {
    throw new AshlarError("malformed", `${path}: expected a link to the certificate that counts: ${messageOf(error)}`);
  });
  return join(dirname(path), basename(target));
}

/** Unit files and drop-ins of the configuration. */
async function readUnits(directory: string): Promise<{ readonly path: string; readonly text: string }[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const files = entries
    .filter((entry) => entry.isFile() && /\.(?:service|conf)$/u.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  if (files.length > MAX_UNITS) throw new AshlarError("limit", `${directory}: expected at most ${MAX_UNITS} units`);
  const texts = files.map(async (path) => ({ path, text: (await readLimited(path, MAX_BYTES)).toString("utf8") }));
  return await Promise.all(texts);
}

/** Bytes that anybody may have put there: no link is followed. */
async function readText(path: string): Promise<string | undefined> {
  return (await readOptional(path, MAX_BYTES))?.toString("utf8");
}

function named<Value>(path: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    throw new AshlarError(error.code, `/${path}: ${error.message}`, {
      hint: "the kubelet does not start with it; the node has to join again",
    });
  }
}
