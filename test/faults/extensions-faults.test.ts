/** What a node does with extensions that it must not merge: one node, whose store and server are tampered with. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { declaring, ExtensionLab, type ExtensionTree, ExtensionWorld, kubernetes } from "../e2e/extension-lab.ts";
import { ashlar, removeLabOnSignal } from "../e2e/world.ts";

const MINUTES = 60_000;
const NAME = "e2e-extension-faults";
const STORE = "/opt/extensions";
const MANY = Array.from({ length: 18 }, (_, index) => `many-${index + 1}`);
const BAD = [
  "unsigned",
  "other-key",
  "signature",
  "data",
  "truncated",
  "renamed",
  "other-host",
  "shadow",
  "twin",
] as const;
const CONFIG = declaring(
  [
    "{name: kubernetes, version: v1.33.*, tier: community, updates: automatic}",
    "{name: good, version: v1, tier: opt-in}",
    ...[...BAD, ...MANY].map((name) => `{name: ${name}, version: v1, tier: opt-in}`),
  ],
  `systemd:
  units:
    - name: late.service
      enabled: true
      contents: |
        [Service]
        Type=oneshot
        RemainAfterExit=yes
        ExecStart=/usr/bin/tool-${MANY[0] ?? ""}
        [Install]
        WantedBy=multi-user.target
`,
);

const world = new ExtensionWorld("node-extension-faults");
let lab: ExtensionLab;

removeLabOnSignal(NAME);

before(
  async () => {
    await world.make();
    await world.publish(kubernetes("v1.33.2"), tool("good"));
    lab = await ExtensionLab.up(NAME, world, CONFIG);
  },
  { timeout: 60 * MINUTES },
);

after(async () => await ashlar("lab", "down", "--name", NAME));

function tool(name: string, options: readonly string[] = []): ExtensionTree {
  return { name, version: "v1", files: { [`usr/bin/tool-${name}`]: `#!/bin/sh\necho ${name}\n` }, options };
}

async function put(name: string, bytes: Uint8Array, version = "v1"): Promise<void> {
  await lab.put(bytes, `${STORE}/${name}/${name}-${version}-x86-64.raw`);
}

async function refresh(): Promise<void> {
  await lab.mustRun("ashlar agent extensions apply");
}

/** Changes one byte where a text is found, or at an offset. */
function flipped(bytes: Uint8Array, at: number | string): Buffer {
  const copy = Buffer.from(bytes);
  const offset = typeof at === "number" ? at : copy.indexOf(at) + at.length + 20;
  // Another character of base64, when it is one.
  copy.writeUInt8(copy.readUInt8(offset) ^ 1, offset);
  return copy;
}

test("a node comes up with what there is, although most of what it declares is nowhere", async () => {
  assert.deepEqual(await lab.merged(), ["good v1", "kubernetes v1.33.2"]);
  assert.equal((await lab.status()).missing.length, BAD.length + MANY.length);
  assert.equal((await lab.prove()).node.level, "mismatch", "what is declared and missing is said");
  assert.equal((await lab.root("systemctl is-active late.service")).output, "failed");
});

test("bad images are set aside, each with its reason, and the good ones stay", { timeout: 60 * MINUTES }, async () => {
  const build = async (name: string, ...options: string[]): Promise<Buffer> =>
    await readFile(await world.build(tool(name, options)));
  const [unsigned, signature, data, truncated] = await Promise.all(
    (["unsigned", "signature", "data", "truncated"] as const).map(async (name) => await build(name)),
  );
  assert.ok(unsigned !== undefined && signature !== undefined && data !== undefined && truncated !== undefined);
  const bare = Buffer.from(unsigned);
  const start = bare.indexOf('{"rootHash"');
  bare.fill(0, start, bare.indexOf(0, start));
  await put("unsigned", bare);
  const otherKeys = join(world.directory, "other-keys");
  await ashlar("release", "init", "--repo", join(world.directory, "other-repository"), "--keys", otherKeys);
  await put("other-key", await readFile(await world.build(tool("other-key"), otherKeys)));
  await put("signature", flipped(signature, '"signature":"'));
  // The first directory of the file system is read before anything is merged.
  await put("data", flipped(data, 20_480 + 1024 + 4));
  await put("truncated", truncated.subarray(0, truncated.length / 2));
  await put("renamed", await readFile(await world.build(tool("good"))));
  await put("other-host", await build("other-host", "--host", "debian"));
  await put(
    "shadow",
    await readFile(await world.build({ name: "shadow", version: "v1", files: { "usr/bin/true": "" } })),
  );
  await put("twin", await readFile(await world.build({ ...tool("twin"), files: { "usr/bin/tool-good": "another" } })));
  await refresh();
  assert.deepEqual(await lab.merged(), ["good v1", "kubernetes v1.33.2"]);
  const reasons = new Map((await lab.status()).setAside.map(({ name, reason }) => [name, reason]));
  for (const [name, pattern] of [
    ["unsigned", /verity signature/u],
    ["other-key", /trusted certificate/u],
    ["signature", /signature/u],
    ["data", /damaged/u],
    ["truncated", /partition|GPT/u],
    ["renamed", /expected name renamed, found good/u],
    ["other-host", /expected ID ashlar, found debian/u],
    ["shadow", /would hide \/usr\/bin\/true/u],
    ["twin", /another \/usr\/bin\/tool-good than the extension good/u],
  ] as const) {
    assert.match(reasons.get(name) ?? "nothing", pattern, name);
  }
  const { node } = await lab.prove();
  assert.deepEqual(node.extensions.map(({ name }) => name).toSorted(), ["good", "kubernetes"]);
});

test("certificates that root adds count for nothing", { timeout: 20 * MINUTES }, async () => {
  const certificate = await readFile(join(world.directory, "other-keys/extensions.crt"));
  await lab.mustRun("mount -o remount,rw /etc");
  for (const directory of ["/etc/verity.d", "/run/verity.d"]) await lab.put(certificate, `${directory}/other.crt`);
  await refresh();
  await lab.mustRun("rm -r /etc/verity.d /run/verity.d && mount -o remount,ro /etc");
  assert.deepEqual(await lab.merged(), ["good v1", "kubernetes v1.33.2"]);
});

test("images that lie about, and systemd's other doors, merge nothing", { timeout: 60 * MINUTES }, async () => {
  const stray = await readFile(await world.build(tool("stray")));
  for (const directory of ["/run/extensions", "/var/lib/extensions", "/run/confexts", "/var/lib/confexts"]) {
    await lab.put(stray, `${directory}/stray.raw`);
    await lab.mustRun(`echo junk >${directory}/junk.raw`);
  }
  await lab.mustRun(`rm ${STORE}/twin/*`);
  await put(MANY[0] ?? "", await readFile(await world.build(tool(MANY[0] ?? ""))));
  await refresh();
  assert.deepEqual(await lab.merged(), ["good v1", "kubernetes v1.33.2", "many-1 v1"]);
  await lab.mustRun("timeout 60 sh -c 'until systemctl is-active late.service; do sleep 1; done'");
  assert.notEqual((await lab.root("tool-stray")).status, 0);
  await lab.mustRun("test ! -e /run/systemd/io.systemd.sysext");
  const varlink = "varlinkctl call /run/systemd/io.systemd.sysext io.systemd.sysext.Refresh '{}'";
  assert.notEqual((await lab.root(varlink)).status, 0);
  for (const unit of ["systemd-sysext.service", "systemd-confext.service", "systemd-sysext.socket"]) {
    assert.notEqual((await lab.root(`systemctl start ${unit}`)).status, 0, unit);
  }
});

test("twenty at once, and at the next boot", { timeout: 60 * MINUTES }, async (t) => {
  for (const name of MANY.slice(1)) await put(name, await readFile(await world.build(tool(name))));
  await refresh();
  assert.equal((await lab.merged()).length, 20);
  await lab.restart();
  assert.equal((await lab.merged()).length, 20);
  assert.notEqual((await lab.root("tool-stray")).status, 0);
  const microseconds = await lab.mustRun(
    "systemctl show -P ExecMainExitTimestampMonotonic -P ExecMainStartTimestampMonotonic ashlar-extensions",
  );
  const [end = 0, start = 0] = microseconds
    .split("\n")
    .map(Number)
    .toSorted((a, b) => b - a);
  t.diagnostic(`20 extensions took ${((end - start) / 1e6).toFixed(1)} s of the boot`);
});

test(
  "what the repository says is what counts: downgrades and withdrawn versions",
  { timeout: 60 * MINUTES },
  async () => {
    await world.publish(kubernetes("v1.33.1"), kubernetes("v1.33.3"));
    const update = async (...args: string[]): Promise<string> =>
      (await lab.root(`ashlar agent extensions update --component kubernetes ${args.join(" ")}`)).output;
    assert.match(await update("--to", "v1.33.1"), /older than v1\.33\.2/u);
    assert.match(await update("--to", "v1.34.0"), /no .*v1\.34\.0|does not match/u);
    const place = ["--repo", world.repository, "--keys", world.keys];
    await ashlar("extension", "withdraw", "kubernetes", "v1.33.3", "--reason", "it forgets pods", ...place);
    assert.match(await update("--to", "v1.33.3"), /withdrawn.*it forgets pods/u);
    assert.equal(await lab.mustRun("kubelet --version"), "Kubernetes v1.33.2");
  },
);

test(
  "a full state partition is said before anything is fetched, and two orders do not mix",
  { timeout: 60 * MINUTES },
  async () => {
    await world.publish(kubernetes("v1.33.4"), kubernetes("v1.33.5"));
    await lab.mustRun(
      "fallocate -l $(($(df --output=avail -B1 /var/lib/ashlar | tail -1) * 98 / 100)) /var/lib/ashlar/full",
    );
    const full = await lab.root(
      "ashlar agent extensions update --component kubernetes --to v1.33.5; rm /var/lib/ashlar/full",
    );
    assert.match(full.output, /\/var\/lib\/ashlar: expected .* MiB free/u);
    const both = await lab.root(`
    ashlar agent extensions update --component kubernetes --to v1.33.4 & first=$!
    sleep 4
    ashlar agent extensions update --component good --to v1; second=$?
    wait $first && exit $second`);
    assert.notEqual(both.status, 0);
    assert.match(both.output, /another order is being carried out: update .*kubernetes/u);
    assert.match(await lab.mustRun("systemctl list-timers --no-pager"), /ashlar-component-update\.timer/u);
    assert.equal(await lab.mustRun("kubelet --version"), "Kubernetes v1.33.4");
  },
);

test("root can mount over /usr by hand: the proof does not see it, as SECURITY.md says", async () => {
  const unplanted = (await lab.prove()).node;
  await lab.mustRun(
    "mkdir -p /run/o/a && echo x >/run/o/a/planted && mount -t overlay -o lowerdir=/run/o/a:/usr/bin o /usr/bin",
  );
  assert.equal(await lab.mustRun("cat /usr/bin/planted"), "x");
  const planted = (await lab.prove()).node;
  assert.deepEqual([planted.level, planted.identity], [unplanted.level, unplanted.identity]);
  await lab.restart();
  assert.notEqual((await lab.root("test -e /usr/bin/planted")).status, 0);
});
