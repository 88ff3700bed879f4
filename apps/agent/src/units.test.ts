import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { AGENT_PORT } from "@ashlar/protocol";
import { parseCommandLine } from "./commands/command-line.ts";
import { nodePaths } from "./shared/node-paths.ts";

function readUnit(name: string): string {
  return readFileSync(new URL(`../../../os/usr/lib/systemd/system/${name}`, import.meta.url), "utf8");
}

await test("the units use the port and the names that the agent expects", () => {
  const socket = readUnit("ashlar-agent.socket");
  assert.match(socket, new RegExp(`^ListenStream=${AGENT_PORT}$`, "mu"));
  assert.match(socket, /^FileDescriptorName=https$/mu);
  const service = readUnit("ashlar-agent.service");
  assert.match(service, /^OpenFile=\S+binary_bios_measurements:firmware-log:read-only,graceful$/mu);
  assert.match(service, /^OpenFile=\S+tpm2-measure\.log:userspace-log:read-only,graceful$/mu);
  assert.match(readUnit("ashlar-verity-status.socket"), /^ListenStream=\/run\/ashlar-verity-status\.socket$/mu);
  assert.match(readUnit("ashlar-verity-status.service"), /^ExecStart=\/usr\/bin\/socat -U ACCEPT-FD:3,fork,/mu);
  const forAgent = readUnit("ashlar-updater.socket");
  assert.match(forAgent, new RegExp(`^ListenStream=${nodePaths().updaterAgentSocket}$`, "mu"));
  assert.match(forAgent, /^FileDescriptorName=agent$/mu);
  const forRoot = readUnit("ashlar-updater-root.socket");
  assert.match(forRoot, new RegExp(`^ListenStream=${nodePaths().updaterSocket}$`, "mu"));
  assert.match(forRoot, /^FileDescriptorName=root$/mu);
  assert.match(forRoot, /^SocketUser=root\nSocketGroup=root\nSocketMode=0600$/mu);
  assert.match(readUnit("ashlar-updater.service"), /^Sockets=ashlar-updater-root\.socket ashlar-updater\.socket$/mu);
  const refresher = readUnit("ashlar-refresher.socket");
  assert.match(refresher, new RegExp(`^ListenStream=${nodePaths().refresherSocket}$`, "mu"));
  assert.match(refresher, /^FileDescriptorName=refresher$/mu);
  assert.match(refresher, /^SocketMode=0600$/mu);
  for (const [unit, command] of [
    ["ashlar-refresher.service", "agent refresher"],
    ["ashlar-updater.service", "agent updater"],
    ["ashlar-update.service", "agent update --policy"],
    ["ashlar-health.service", "agent health"],
    ["ashlar-boot-loader.service", "agent boot-loader"],
    ["ashlar-cluster.service", "agent cluster"],
  ] as const) {
    const line = /^ExecStart=\/usr\/bin\/ashlar (?<words>.*)$/mu.exec(readUnit(unit))?.groups?.["words"];
    assert.equal(line, command);
    parseCommandLine(command.split(" "));
  }
});

/** What a unit sets, by name; lines of one name are joined. */
function settingsOf(name: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  for (const [, key = "", value = ""] of readUnit(name).matchAll(/^(?<key>\w+)=(?<value>.*)$/gmu)) {
    const before = settings.get(key);
    settings.set(key, before === undefined ? value : `${before} ${value}`);
  }
  return settings;
}

await test("what answers the network has no privileges, no network and one device", () => {
  const agent = settingsOf("ashlar-agent.service");
  for (const [key, value] of [
    ["User", "ashlar-agent"],
    ["SupplementaryGroups", "tss"],
    ["CapabilityBoundingSet", ""],
    ["AmbientCapabilities", ""],
    ["NoNewPrivileges", "yes"],
    ["DevicePolicy", "closed"],
    ["DeviceAllow", "/dev/tpmrm0 rw"],
    ["ProtectSystem", "strict"],
    ["PrivateNetwork", "yes"],
    ["RestrictAddressFamilies", "AF_UNIX"],
    ["SystemCallFilter", "@system-service ~@privileged @resources"],
    ["MemoryDenyWriteExecute", "yes"],
    ["MemoryMax", "256M"],
    ["TasksMax", "64"],
  ] as const) {
    assert.equal(agent.get(key), value, key);
  }
  // Whoever becomes its user writes nowhere but in the directory of its TLS key.
  assert.equal(agent.get("ReadWritePaths"), undefined);
});

await test("who writes has bounded capabilities or no network", () => {
  const updater = settingsOf("ashlar-updater.service");
  const capabilities = updater.get("CapabilityBoundingSet")?.split(" ") ?? [];
  assert.ok(capabilities.includes("CAP_SYS_ADMIN"));
  for (const name of [
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_PTRACE",
    "CAP_SYS_BOOT",
    "CAP_NET_ADMIN",
    "CAP_BPF",
  ]) {
    assert.ok(!capabilities.includes(name), name);
  }
  assert.equal(updater.get("NoNewPrivileges"), "yes");
  const loader = settingsOf("ashlar-boot-loader.service");
  assert.deepEqual([loader.get("CapabilityBoundingSet"), loader.get("PrivateNetwork")], ["", "yes"]);
  assert.equal(settingsOf("ashlar-refresher.service").get("RestrictAddressFamilies"), "AF_UNIX AF_NETLINK");
  const cluster = settingsOf("ashlar-cluster.service");
  assert.deepEqual([cluster.get("CapabilityBoundingSet"), cluster.get("PrivateNetwork")], ["", "yes"]);
});

await test("only the updater fetches: the other programs cannot even load what does", () => {
  const source = new URL(".", import.meta.url);
  const loading = globSync("**/*.ts", { cwd: fileURLToPath(source) })
    .filter((path) => !path.includes("test"))
    .filter((path) =>
      /^import (?!type)[^;]*"@ashlar\/repository"|import\("@ashlar\/repository"\)|\bfetch\(/mu.test(
        readFileSync(new URL(path, source), "utf8"),
      ),
    );
  assert.ok(loading.includes("updater/run-updater.ts"));
  assert.deepEqual(
    loading.filter((path) => !path.startsWith("updater/")),
    [],
  );
});

await test("nothing in /var tells the kubelet what to do", () => {
  const files = new URL("../../../recipes/kubernetes/files/usr/lib/", import.meta.url);
  const read = (path: string): string => readFileSync(new URL(path, files), "utf8").replaceAll(/^#.*$/gmu, "");
  const unit = read("systemd/system/kubelet.service") + read("systemd/system/kubelet.service.d/10-kubeadm.conf");
  assert.doesNotMatch(unit, /\/var\//u);
  const paths = [...unit.matchAll(/--(?:config|config-dir)=(?<path>[^\s"]+)/gu)].map(({ groups }) => groups?.["path"]);
  assert.deepEqual(paths, ["/usr/lib/kubernetes/kubelet.yaml", "/etc/kubelet.conf.d"]);
  const config = read("kubernetes/kubelet.yaml");
  assert.doesNotMatch(config, /\/var\//u);
  assert.match(config, /^staticPodPath: ""$/mu);
  assert.match(config, /^volumePluginDir: \/usr\//mu);
});
