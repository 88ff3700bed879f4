/** What holds on a node that has booted once. What its further boots read: test/faults/node-boots.test.ts. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import { run } from "@ashlar/host";
import { readBootInputs } from "@ashlar/lab";
import { NODE, NodeLab } from "./node-lab.ts";
import { ashlar, ROOT } from "./world.ts";

const MINUTES = 60_000;
const NAME = "e2e-node";
const node = new NodeLab(NAME);

async function root(script: string): Promise<{ readonly status: number; readonly output: string }> {
  return await node.root(script);
}

test(
  "a node comes up whole: no failed unit, containerd answers, the declared files are there",
  { timeout: 20 * MINUTES },
  async () => {
    assert.equal((await root("systemctl is-system-running --wait")).output, "running");
    assert.equal((await root("systemctl --failed --no-legend")).output, "");
    assert.match((await root("ctr version")).output, /Server:/u);
    assert.equal((await root("cat /proc/sys/vm/overcommit_memory")).output, "1");
    assert.equal((await root("hostname")).output, NODE);
    assert.match((await root("cat /usr/lib/os-release")).output, /^ID=ashlar$[\s\S]*^SYSEXT_LEVEL=/mu);
  },
);

test(
  "the root is a tmpfs, /usr verity, /etc sealed, /var without suid, devices and (but for containers) programs",
  { timeout: 20 * MINUTES },
  async () => {
    const { output } = await root("findmnt --raw --noheadings --output TARGET,FSTYPE,OPTIONS");
    const mounts = new Map(
      output
        .split("\n")
        .map((line) => line.split(" "))
        .map(([target = "", type, options]) => [target, { type, options: options?.split(",") ?? [] }]),
    );
    const expectMount = (
      target: string,
      type: string,
      has: readonly string[],
      hasNot: readonly string[] = [],
    ): void => {
      const mount = mounts.get(target);
      assert.equal(mount?.type, type, `${target} is ${type}`);
      for (const option of has)
        assert.ok(mount.options.includes(option), `${target} is ${option}: ${mount.options.join(",")}`);
      for (const option of hasNot) assert.ok(!mount.options.includes(option), `${target} is not ${option}`);
    };
    expectMount("/", "tmpfs", ["nosuid", "nodev", "noexec"]);
    expectMount("/usr", "erofs", ["ro", "nodev"]);
    expectMount("/etc", "tmpfs", ["ro", "nosuid", "nodev", "noexec"]);
    expectMount("/var", "ext4", ["nosuid", "nodev", "noexec"]);
    expectMount("/var/lib/ashlar", "ext4", ["nosuid", "nodev", "noexec"]);
    expectMount("/var/log/journal", "ext4", ["nosuid", "nodev", "noexec"]);
    expectMount("/var/lib/containerd", "ext4", ["nosuid", "nodev"], ["noexec"]);
    const kept = await root("findmnt --raw --noheadings --output FSTYPE,OPTIONS --target $(readlink /etc/kubernetes)");
    assert.match(kept.output, /^tmpfs rw,nosuid,nodev,noexec,/u, "Kubernetes can write, and nothing of it persists");
    assert.equal((await root("stat -c %a /var/lib/ashlar/config")).output, "700", "it may hold secrets");
    assert.match((await root("dmsetup status usr")).output, /verity V/u);
    assert.match((await root("df --output=size --block-size=M /var")).output, /\d{4,}M/u, "/var was grown");
    assert.notEqual(
      (await root("nsenter --target $(systemctl show -P MainPID systemd-networkd) --mount touch /etc/x")).status,
      0,
    );
  },
);

test("the kernel is locked down, and nobody logs in with a password", { timeout: 20 * MINUTES }, async () => {
  assert.match((await root("cat /sys/kernel/security/lockdown")).output, /\[integrity\]/u);
  assert.equal((await root("cat /proc/sys/kernel/kexec_load_disabled")).output, "1");
  assert.equal((await root("cat /sys/module/module/parameters/sig_enforce")).output, "Y");
  // A file of a package that comes later by its name would take a setting back (sysctl.d(5)).
  const settings = await readFile(join(ROOT, "os/usr/lib/sysctl.d/10-ashlar.conf"), "utf8");
  const declared = [...settings.matchAll(/^([\w.]+) = (.*)$/gmu)].map(([, key = "", value = ""]) => ({ key, value }));
  assert.ok(declared.length > 0);
  const inEffect = await root(`cd /proc/sys && cat ${declared.map(({ key }) => key.replaceAll(".", "/")).join(" ")}`);
  assert.equal(inEffect.output, declared.map(({ value }) => value).join("\n"));
  assert.match((await root("cat /sys/class/tpm/tpm0/pcr-sha256/12")).output, /^0{64}$/u);
  assert.equal((await root("cat /proc/swaps")).output.split("\n").length, 1, "no swap");
  assert.match((await root("cat /proc/cmdline")).output, / noresume /u);
  const sshd = (await root("sshd -T")).output;
  for (const line of [
    "passwordauthentication no",
    "kbdinteractiveauthentication no",
    "permitrootlogin without-password",
  ]) {
    assert.ok(sshd.includes(line), line);
  }
  const hashed = (await root("cut -d: -f1,2 /etc/shadow")).output
    .split("\n")
    .filter((line) => !/:(?:[!*].*)?$/u.test(line));
  assert.deepEqual(hashed, [], "no account has a password");
  assert.equal((await root("awk -F: '$2 == \"\"' /etc/shadow")).output, "", "no account has an empty password");
});

test(
  "the agent is one program, started by its socket, and leaves when it is not needed",
  { timeout: 20 * MINUTES },
  async () => {
    assert.equal((await node.prove()).fleet.verdict, "proven");
    assert.equal((await root("systemctl is-active ashlar-agent.service")).output, "active");
    const process = "/proc/$(systemctl show -P MainPID ashlar-agent.service)";
    const privileges = (await root(`cat ${process}/status`)).output;
    for (const set of ["CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
      assert.match(privileges, new RegExp(`^${set}:\\s+0{16}$`, "mu"), privileges);
    }
    assert.match(privileges, /^NoNewPrivs:\s+1$/mu);
    assert.match(privileges, /^Seccomp:\s+2$/mu);
    assert.match(privileges, new RegExp(`^Uid:\\s+${(await root("id -u ashlar-agent")).output}\\s`, "mu"));
    assert.equal((await root(`test "$(readlink ${process}/ns/net)" != "$(readlink /proc/1/ns/net)"`)).status, 0);
    for (
      let waited = 0;
      waited < 180 && (await root("systemctl is-active ashlar-agent.service")).output === "active";
      waited += 10
    ) {
      await sleep(10_000);
    }
    assert.equal((await root("systemctl is-active ashlar-agent.service")).output, "inactive");
    assert.equal((await root("systemctl is-active ashlar-agent.socket")).output, "active");
    assert.equal((await node.prove()).fleet.verdict, "proven");
  },
);

test("the agent refuses what is not a request", { timeout: 20 * MINUTES }, async () => {
  const url = node.lab.nodes[0]?.agentUrl ?? "";
  assert.equal(await statusOf(url, "GET", "/"), 404);
  assert.equal(await statusOf(url, "GET", "/v1/evidence"), 405);
  assert.equal(await statusOf(url, "POST", "/v1/evidence", "{"), 400);
  assert.equal(await statusOf(url, "POST", "/v1/evidence", JSON.stringify({ nonce: "c2hvcnQ=" })), 400);
  assert.equal(await statusOf(url, "POST", "/v1/evidence", JSON.stringify({ nonce: "A".repeat(100_000) })), 413);
});

test("every directory in /var is in the list of what a boot reads", { timeout: 20 * MINUTES }, async () => {
  const { output } = await root(
    "find /var /var/lib/ashlar -xdev -mindepth 1 -maxdepth 3; findmnt --raw --noheadings --output TARGET",
  );
  const listed = (await readBootInputs()).flatMap((group) => group.inputs.flatMap(({ paths }) => paths));
  const isListed = (found: string): boolean =>
    listed.some((path) => path === found || path.startsWith(`${found}/`) || found.startsWith(`${path}/`));
  const persistent = output.split("\n").filter((path) => path.startsWith("/var/"));
  assert.ok(persistent.includes("/var/lib/systemd"), output);
  assert.deepEqual(
    persistent.filter((path) => !isListed(path)),
    [],
  );
});

test("what would decide about the next boot is named before it", { timeout: 20 * MINUTES }, async () => {
  await node.assertPlantedIsNamed();
});

test("commands and JSON of the lab", { timeout: 20 * MINUTES }, async () => {
  const status: { nodes?: { name: string; state: string }[] } | { name: string; state: string }[] = JSON.parse(
    await ashlar("lab", "status", "--name", NAME, "--json"),
  );
  assert.match(JSON.stringify(status), /"node-1".*"running"/u);
  const { status: code, stdout } = await run("./ashlar", ["lab", "ssh", NODE, "--name", NAME, "--", "exit 7"], {
    acceptStatus: [7],
    cwd: ROOT,
  });
  assert.equal(code, 7);
  assert.equal(stdout.toString("utf8"), "");
});

async function statusOf(url: string, method: string, path: string, body?: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  // The agent's certificate vouches for nothing; evidence is bound to its key instead.
  const sent = request(
    new URL(path, url),
    { method, rejectUnauthorized: false, headers: { "content-type": "application/json" } },
    (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    },
  );
  sent.on("error", reject);
  sent.end(body);
  return await promise;
}
