import { mkdir, readFile, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { run, startDaemon } from "@ashlar/host";
import type { PcrBank } from "@ashlar/protocol";
import type { LabPaths, NodePaths } from "./lab-paths.ts";

/**
 * Makes one node's TPM: an RSA-2048 endorsement key with a certificate from the lab's own certificate authority, which
 * swtpm_localca makes at the first call.
 *
 * @param pcrBanks those that are on; the firmware hashes every event once for each
 */
export async function manufactureTpm(
  lab: LabPaths,
  node: NodePaths,
  nodeName: string,
  pcrBanks: readonly PcrBank[],
): Promise<void> {
  await mkdir(node.tpmState, { mode: 0o700 });
  await run(
    "swtpm_setup",
    [
      "--tpm2",
      "--create-ek-cert",
      ["--tpmstate", `dir://${node.tpmState}`],
      ["--pcr-banks", pcrBanks.join(",")],
      ["--config", await writeAuthorityConfig(lab)],
      ["--vmid", `${lab.name}:${nodeName}`],
    ].flat(),
    // Where it keeps its intermediate files, so that an interrupted run leaves nothing outside the lab.
    { env: { TMPDIR: node.tpmState } },
  );
}

/** Gathers the certificates that the TPMs' endorsement certificates lead to: the root first, then the issuer. */
export async function writeEkRoots(lab: LabPaths): Promise<void> {
  const certificates = await Promise.all(
    ["swtpm-localca-rootca-cert.pem", "issuercert.pem"].map((name) =>
      readFile(join(lab.certificateAuthority, name), "utf8"),
    ),
  );
  await writeFile(lab.ekRoots, certificates.map((certificate) => `${certificate.trim()}\n`).join(""));
}

/** Starts the node's TPM. It ends by itself when its machine does. */
export async function startTpm(node: NodePaths): Promise<void> {
  await startDaemon(
    "swtpm",
    [
      ["socket", "--tpm2", "--terminate"],
      ["--tpmstate", `dir=${node.tpmState}`],
      ["--ctrl", `type=unixio,path=${node.tpmSocket}`],
    ].flat(),
    { logPath: node.tpmLog, isReady: async () => existsSync(node.tpmSocket), timeoutMs: START_TIMEOUT_MS },
  );
}

const START_TIMEOUT_MS = 10_000;

async function writeAuthorityConfig(lab: LabPaths): Promise<string> {
  const directory = lab.certificateAuthority;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const authority = join(directory, "authority.conf");
  const platform = join(directory, "platform.options");
  const setup = join(directory, "setup.conf");
  await writeFile(
    authority,
    lines({
      statedir: directory,
      signingkey: join(directory, "signkey.pem"),
      issuercert: join(directory, "issuercert.pem"),
      certserial: join(directory, "certserial"),
    }),
  );
  await writeFile(platform, "--platform-manufacturer Ashlar\n--platform-version 1\n--platform-model lab\n");
  await writeFile(
    setup,
    lines({
      create_certs_tool: "swtpm_localca",
      create_certs_tool_config: authority,
      create_certs_tool_options: platform,
    }),
  );
  return setup;
}

function lines(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join("");
}
