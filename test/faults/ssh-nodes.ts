/** Nodes behind a real sshd on loopback, each a small tree of its own that sessions are locked into. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { dirname, join } from "node:path";

/** What the collector needs on a node, and bash, which is the shell of root. */
const PROGRAMS =
  "bash sh find xargs sort sed sha256sum tail tr grep cut cat date id uname nproc head gzip timeout sudo".split(" ");
/** What sudo loads, and does not name. */
const SUDO_PARTS = ["/usr/libexec/sudo", "/lib/x86_64-linux-gnu/security/pam_permit.so"];
const PAM = ["auth", "account", "session"].map((kind) => `${kind} required pam_permit.so\n`).join("");
export const USERS = { allowed: 61_001, refused: 61_002 } as const;
const PASSWD = `root:x:0:0::/root:/bin/bash\nsshd:x:65533:65533::/run/sshd:/usr/sbin/nologin\n${Object.entries(USERS)
  .map(([name, uid]) => `${name}:x:${uid}:${uid}::/:/bin/sh\n`)
  .join("")}`;

type NameOptions = { readonly user?: string; readonly knownHosts?: string };
export type SshNode = { readonly port: number; readonly tree: string };

/** Nodes in `directory`; `end` ends what was started. */
export class SshNodes {
  readonly config: string;
  /** What all sshds have said. */
  log = "";
  readonly #directory: string;
  /** The first node's: the others begin as it did. */
  #tree: string | undefined;
  readonly #processes: ChildProcess[] = [];
  readonly #hosts: string[] = [];

  constructor(directory: string) {
    this.#directory = directory;
    // sshd reads the keys as the user that logs in.
    chmodSync(directory, 0o755);
    this.config = join(directory, "ssh_config");
    const key = join(directory, "key");
    for (const each of [key, join(directory, "host-key"), join(directory, "other-key")])
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", each]);
    cpSync(`${key}.pub`, join(directory, "authorized_keys"));
    const known = execFileSync("cat", [join(directory, "host-key.pub")], { encoding: "utf8" });
    writeFileSync(join(directory, "known_hosts"), `node ${known}`);
    const other = execFileSync("cat", [join(directory, "other-key.pub")], { encoding: "utf8" });
    writeFileSync(join(directory, "other_hosts"), `node ${other}`);
    writeFileSync(join(directory, "passwd"), PASSWD);
  }

  /** A node with a tree of its own. */
  async start(name: string): Promise<SshNode> {
    const tree = join(this.#directory, name);
    if (this.#tree === undefined) makeTree(tree);
    else execFileSync("cp", ["-a", this.#tree, tree]);
    this.#tree ??= tree;
    const port = await freePort();
    const at = (file: string): string => join(this.#directory, file);
    const options = [
      `Port=${port}`,
      "ListenAddress=127.0.0.1",
      `HostKey=${at("host-key")}`,
      "PidFile=none",
      `AuthorizedKeysFile=${at("authorized_keys")}`,
      "StrictModes=no",
      "LogLevel=VERBOSE",
      "UsePAM=no",
      "PermitRootLogin=yes",
      "ChrootDirectory=/mnt",
    ];
    // The users of this test are there for this sshd alone, which wants no directory above the tree that others can write.
    const mounts = `mount --bind ${at("passwd")} /etc/passwd; mount --bind ${tree} /mnt`;
    const script = `mkdir -p /run/sshd; ${mounts}; exec /usr/sbin/sshd -D -e -f /dev/null "$@"`;
    const args = ["-m", "sh", "-ec", script, "sshd", ...options.flatMap((option) => ["-o", option])];
    const child = spawn("unshare", args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#processes.push(child);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.log += text));
    await listening(child);
    return { port, tree };
  }

  /** A name for ssh. */
  name(host: string, port: number, { user = "root", knownHosts = "known_hosts" }: NameOptions = {}): void {
    const lines = [
      `Host ${host}`,
      "HostName 127.0.0.1",
      `Port ${port}`,
      `User ${user}`,
      "HostKeyAlias node",
      `IdentityFile ${join(this.#directory, "key")}`,
      "IdentitiesOnly yes",
      `UserKnownHostsFile ${join(this.#directory, knownHosts)}`,
      "GlobalKnownHostsFile /dev/null",
    ];
    this.#hosts.push(`${lines.join("\n  ")}\n`);
    writeFileSync(this.config, this.#hosts.join(""));
  }

  end(): void {
    for (const child of this.#processes) child.kill();
  }
}

/** No larger than it must be: all of it is hashed. */
function makeTree(tree: string): void {
  const parts = [...outputOf("sh", "-ec", 'for each; do command -v "$each"; done', "sh", ...PROGRAMS), ...SUDO_PARTS];
  const files = outputOf("find", ...parts, "-type", "f", "-o", "-type", "l");
  // What is no program of its own ends with a status, and has said nothing.
  const linked = outputOf("sh", "-c", 'ldd "$@" 2>/dev/null || :', "ldd", ...files);
  const libraries = linked.map((line) => /^\s+(?:\S+ => )?(?<path>\/\S+) \(/u.exec(line)?.groups?.["path"] ?? "");
  for (const part of new Set([...parts, ...libraries].filter((path) => existsSync(path)))) {
    const to = join(tree, part);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(realpathSync(part), to, { recursive: true, dereference: true });
  }
  // Where PATH finds them, wherever this machine has them.
  for (const each of ["bin", "root", "etc/pam.d", "usr/lib", "dev", "run", "tmp"])
    mkdirSync(join(tree, each), { recursive: true });
  for (const name of ["sh", "bash"]) cpSync(realpathSync(`/bin/${name}`), join(tree, "bin", name));
  writeFileSync(join(tree, "etc/passwd"), PASSWD);
  writeFileSync(join(tree, "etc/pam.d/sudo"), PAM);
  writeFileSync(join(tree, "etc/sudoers"), "Defaults !use_pty\nroot ALL=(ALL) ALL\nallowed ALL=(ALL) NOPASSWD: ALL\n", {
    mode: 0o440,
  });
  writeFileSync(join(tree, "usr/lib/os-release"), 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n');
  execFileSync("sh", ["-ec", "mknod -m 666 dev/null c 1 3; chown -R 0:0 .; chmod 755 .; chmod 4755 usr/bin/sudo"], {
    cwd: tree,
  });
}

function outputOf(program: string, ...args: readonly string[]): readonly string[] {
  return execFileSync(program, args, { encoding: "utf8" }).trim().split("\n");
}

export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("expected a server that listens on a port");
  return address.port;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(child: ChildProcess): Promise<void> {
  let text = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on("data", (more: string) => {
      text += more;
      if (text.includes("Server listening")) resolve();
    });
    child.once("exit", () => reject(new Error(`sshd ended: ${text}`)));
  });
}
