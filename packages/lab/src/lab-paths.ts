import { createHash } from "node:crypto";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { runtimeDirectory } from "@ashlar/host";
import { labsDirectory, STATE_FILE } from "./labs-directory.ts";

/** Where one lab keeps its things. All paths are absolute. */
export type LabPaths = {
  readonly name: string;
  readonly directory: string;
  /** Sockets, in a place with a short path. */
  readonly runtime: string;
  /** Beside the directory, which comes and goes. */
  readonly lock: string;
  readonly state: string;
  /** What the state will be, until the lab is made. */
  readonly plan: string;
  readonly manifest: string;
  readonly certificateAuthority: string;
  readonly ekRoots: string;
  readonly sshKey: string;
  /** PEM: the key that gives the nodes orders, and its certificate. */
  readonly operatorKey: string;
  /** The keys that the releases in the lab's repository are trusted by (TUF root metadata), when it has one. */
  readonly releaseRoot: string;
  readonly repositoryLog: string;
  readonly knownHosts: string;
};

export type NodePaths = {
  readonly directory: string;
  readonly disk: string;
  readonly firmwareVariables: string;
  readonly tpmState: string;
  readonly classConfig: string;
  readonly nodeConfig: string;
  readonly provisioning: string;
  readonly console: string;
  readonly previousConsole: string;
  readonly qemuLog: string;
  readonly tpmLog: string;
  readonly monitorSocket: string;
  readonly consoleSocket: string;
  readonly tpmSocket: string;
};

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/u;
const HASH_DIGITS = 12;

/** @throws AshlarError `usage` for a name that cannot be a directory's and a machine's name. */
export function labPaths(name: string): LabPaths {
  if (!NAME.test(name)) {
    throw new AshlarError("usage", `expected a lab's name, found ${JSON.stringify(name)}`, {
      hint: "use at most 32 lower-case letters, digits and hyphens",
    });
  }
  const directory = join(labsDirectory(), name);
  const hash = createHash("sha256").update(directory).digest("hex").slice(0, HASH_DIGITS);
  return {
    name,
    directory,
    runtime: join(runtimeDirectory(), hash),
    lock: `${directory}.lock`,
    state: join(directory, STATE_FILE),
    plan: join(directory, "lab-plan.json"),
    manifest: join(directory, "manifest.json"),
    certificateAuthority: join(directory, "tpm-ca"),
    ekRoots: join(directory, "tpm-ca", "ek-roots.pem"),
    sshKey: join(directory, "ssh-key"),
    operatorKey: join(directory, "operator.pem"),
    releaseRoot: join(directory, "release-root.json"),
    repositoryLog: join(directory, "repository.log"),
    knownHosts: join(directory, "known-hosts"),
  };
}

export function nodePaths(lab: LabPaths, node: string): NodePaths {
  const directory = join(lab.directory, node);
  return {
    directory,
    disk: join(directory, "disk.raw"),
    firmwareVariables: join(directory, "firmware-variables.fd"),
    tpmState: join(directory, "tpm"),
    classConfig: join(directory, "class.ign"),
    nodeConfig: join(directory, "node.ign"),
    provisioning: join(directory, "provisioning.ign"),
    console: join(directory, "console.log"),
    previousConsole: join(directory, "console.previous.log"),
    qemuLog: join(directory, "qemu.log"),
    tpmLog: join(directory, "swtpm.log"),
    monitorSocket: join(lab.runtime, `${node}.monitor`),
    consoleSocket: join(lab.runtime, `${node}.console`),
    tpmSocket: join(lab.runtime, `${node}.tpm`),
  };
}
