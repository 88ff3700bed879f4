/** The keys of a cluster, made once by its kubeadm: they live in the lab's directory and go with it. */
import { createHash, randomBytes, X509Certificate } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "@ashlar/host";
import { HOST_ADDRESS } from "./addresses.ts";
import type { ClusterPaths } from "./cluster-paths.ts";
import type { ClusterState } from "./cluster-state.ts";
import { egressDocument, kubeadmDocuments, TOKEN_CHARACTERS, tokenOf } from "./kubeadm-documents.ts";
import type { ClusterMembership } from "./node-part.ts";

const API_CALL_SECONDS = 60;
const KUBECONFIGS = ["admin", "super-admin", "controller-manager", "scheduler"] as const;

/**
 * Makes certificates, what the programs log in with, and their configuration. Nothing is read or written outside the lab.
 *
 * @returns what nodes need to join
 */
export async function makeCredentials(
  paths: ClusterPaths,
  state: ClusterState,
  signal?: AbortSignal,
): Promise<ClusterMembership> {
  const { apiPort, imagePort, version } = state;
  for (const directory of [paths.directory, paths.kubeconfigs, paths.logs]) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  }
  const token = tokenOf(randomBytes(TOKEN_CHARACTERS));
  const documents = { version, apiPort, token, apiCallSeconds: API_CALL_SECONDS };
  const secret = { mode: 0o600 };
  await writeFile(paths.kubeadmConfig, kubeadmDocuments({ ...documents, certificatesDir: paths.pki }), secret);
  await writeFile(paths.uploadedConfig, kubeadmDocuments({ ...documents, certificatesDir: undefined }), secret);
  await writeFile(paths.egress, egressDocument(paths.proxySocket));
  const kubeadm = async (...args: readonly string[]): Promise<void> => {
    await run(state.programs.kubeadm, ["init", "phase", ...args, "--config", paths.kubeadmConfig], { signal });
  };
  await kubeadm("certs", "all");
  for (const name of KUBECONFIGS) await kubeadm("kubeconfig", name, "--kubeconfig-dir", paths.kubeconfigs);
  // kubeadm writes the address that the nodes use.
  for (const name of KUBECONFIGS) await useOnThisComputer(join(paths.kubeconfigs, `${name}.conf`), apiPort);
  await writeFile(paths.kubeconfig, await readFile(join(paths.kubeconfigs, "admin.conf")), secret);
  await chmod(paths.pki, 0o700);
  return { apiPort, imagePort, token, caHash: caHashOf(await readFile(join(paths.pki, "ca.crt"), "utf8")) };
}

async function useOnThisComputer(path: string, apiPort: number): Promise<void> {
  const text = await readFile(path, "utf8");
  await writeFile(path, withServer(text, HOST_ADDRESS, "127.0.0.1", apiPort));
}

/** A kubeconfig for another address of the same API server. */
export function withServer(kubeconfig: string, from: string, to: string, apiPort: number): string {
  return kubeconfig.replaceAll(`https://${from}:${apiPort}`, `https://${to}:${apiPort}`);
}

/** As kubeadm wants it: over the key alone, so that a CA may have a new certificate (SubjectPublicKeyInfo, RFC 5280). */
export function caHashOf(pem: string): string {
  const key = new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" });
  return `sha256:${createHash("sha256").update(key).digest("hex")}`;
}
