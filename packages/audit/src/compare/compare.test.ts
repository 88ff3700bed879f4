import assert from "node:assert/strict";
import { test } from "node:test";
import { KNOWN_NOISE } from "../rules/known-noise.ts";
import type { NoiseRule } from "../rules/noise-rule.ts";
import { isRoot, makeDebianTree, sh, snapshotOf } from "../test-trees.ts";
import { compareNodes } from "./compare-nodes.ts";
import { NodeTable } from "./node-table.ts";
import { CAUSES, type Causes, type Comparison } from "./report.ts";

type Packages = Parameters<typeof makeDebianTree>[0];
const PACKAGES: Packages = {
  one: { version: "1.0", files: ["/usr/bin/one", "/etc/one.conf"] },
  two: { version: "2.0", files: ["/usr/bin/two"] },
};
const FILES = { "usr/bin/one": "one\n", "usr/bin/two": "two\n", "etc/one.conf": "a = 1\n", "etc/machine-id": "1\n" };

async function compare(
  roots: readonly string[],
  rules: readonly NoiseRule[] = KNOWN_NOISE,
  baseline?: string,
): Promise<Comparison> {
  const table = new NodeTable();
  for (const [index, root] of roots.entries()) table.add(`node-${index}`, await snapshotOf(root));
  return compareNodes(table, { rules, baseline });
}

/** Two nodes alike, and a third on which something was done: which causes it has. */
async function causesOf(
  change: string,
  packages = PACKAGES,
  files: Readonly<Record<string, string>> = {},
): Promise<Causes> {
  const normal = await makeDebianTree(PACKAGES, FILES);
  const odd = await makeDebianTree(packages, { ...FILES, ...files });
  sh(change, odd);
  const { groups } = await compare([normal, normal, odd]);
  assert.deepEqual(
    groups.map(({ nodes }) => nodes),
    [["node-0", "node-1"], ["node-2"]],
  );
  return groups[1]!.causes;
}

function named(causes: Causes): string[] {
  return CAUSES.filter((cause) => causes[cause].length > 0);
}

test("nodes that are alike are one group, in spite of machine IDs, host names and times", async () => {
  const one = await makeDebianTree(PACKAGES, { ...FILES, "etc/hostname": "a\n" });
  const two = await makeDebianTree(PACKAGES, { ...FILES, "etc/hostname": "b\n", "etc/machine-id": "2\n" });
  sh("touch -d 2020-01-01 usr/bin/one", two);
  const { groups, filesystems, noise, nodes } = await compare([one, two]);
  assert.deepEqual([groups.length, filesystems, named(groups[0]!.causes)], [1, 1, []]);
  const ignored = Object.fromEntries(noise.filter((each) => each.ignored > 0).map((each) => [each.name, each.ignored]));
  assert.deepEqual(ignored, { "machine-id": 1, "host-name": 1 });
  assert.deepEqual(
    nodes.map(({ host }) => host),
    ["a", "b"],
  );
  const strict = await compare(
    [one, two],
    KNOWN_NOISE.filter(({ name }) => name !== "machine-id"),
  );
  assert.equal(strict.filesystems, 2);
});

test("another version of a package: since when, and the files that it explains", async () => {
  const packages = { ...PACKAGES, two: { version: "2.1", files: ["/usr/bin/two"] } };
  const causes = await causesOf("echo newer > usr/bin/two", packages);
  assert.deepEqual(named(causes), ["packages"]);
  const since = { at: "2026-03-02 10:00:00", action: "install", name: "two:all" } as const;
  assert.deepEqual(causes.packages, [{ name: "two", here: "2.1", there: "2.0", since, files: 1 }]);
});

test("the same packages in another order: one filesystem, two orders", async () => {
  const one = await makeDebianTree(PACKAGES, FILES);
  const two = await makeDebianTree({ two: PACKAGES["two"]!, one: PACKAGES["one"]! }, FILES);
  const { filesystems, orders } = await compare([one, two]);
  assert.deepEqual([filesystems, orders], [1, 2]);
});

test("files that no package owns, the largest first; a file left by a package that is gone", async () => {
  const causes = await causesOf(
    "echo a > usr/bin/tcpdump; truncate -s 3M root-core; mkdir root; mv root-core root/core",
  );
  assert.deepEqual(named(causes), ["unowned"]);
  assert.deepEqual(causes.unowned.map(({ path, here }) => [path, here?.sizeBytes]).slice(0, 2), [
    ["/root/core", 3 * 1024 ** 2],
    ["/usr/bin/tcpdump", 2],
  ]);
  const left = await causesOf("echo own > usr/bin/two", { one: PACKAGES["one"]! });
  assert.deepEqual(named(left), ["packages", "unowned"]);
  assert.deepEqual(
    left.unowned.map(({ path, there }) => [path, there?.type]),
    [["/usr/bin/two", "file"]],
  );
});

test("a program replaced by one of the same size and time", async () => {
  const causes = await causesOf("touch -r usr/bin/one at; echo eno > usr/bin/one; touch -r at usr/bin/one; rm at");
  assert.deepEqual(named(causes), ["changed"]);
  assert.deepEqual(
    causes.changed.map(({ path, package: owner }) => [path, owner]),
    [["/usr/bin/one", "one"]],
  );
});

test("a changed conffile and a unit enabled by hand are configuration", async () => {
  const causes = await causesOf(
    "echo a = 2 > etc/one.conf; mkdir -p etc/systemd/system; ln -s /a etc/systemd/system/a.service",
  );
  assert.deepEqual(named(causes), ["configuration"]);
  assert.deepEqual(causes.configuration.map(({ path }) => path).toSorted(), [
    "/etc/one.conf",
    "/etc/systemd",
    "/etc/systemd/system",
    "/etc/systemd/system/a.service",
  ]);
});

test("set-uid and another owner; set-uid comes first, also on a file whose content does not count", async (context) => {
  const causes = await causesOf("chmod 600 usr/bin/one; chmod 4755 etc/machine-id");
  assert.deepEqual(named(causes), ["metadata"]);
  assert.deepEqual(
    causes.metadata.map(({ path, here }) => [path, here?.mode]),
    [
      ["/etc/machine-id", "4755"],
      ["/usr/bin/one", "0600"],
    ],
  );
  if (!isRoot()) {
    context.diagnostic("not root: no owner was changed");
    return;
  }
  assert.deepEqual(
    (await causesOf("chown 7:8 usr/bin/one")).metadata.map(({ here }) => here?.owner),
    ["7"],
  );
});

test("a user with another number is state", async () => {
  const line = (uid: number): string => `a:x:${uid}:${uid}::/home/a:/bin/sh\n`;
  const causes = await causesOf("true", PACKAGES, { "etc/passwd": line(1001) });
  assert.deepEqual(causes.state, [{ name: "user:a", here: "1001:1001:/home/a:/bin/sh", there: undefined }]);
});

test("what could not be read is like no other, and the node is not complete", async () => {
  const one = await makeDebianTree(PACKAGES, FILES);
  const snapshot = await snapshotOf(one);
  const table = new NodeTable();
  table.add("a", snapshot);
  table.add("b", { ...snapshot, unread: [{ path: "/usr/bin/one", why: "changed while it was read" }] });
  const { groups, nodes } = compareNodes(table, { rules: KNOWN_NOISE });
  assert.deepEqual(named(groups[1]!.causes), ["unread"]);
  assert.deepEqual(
    nodes.map(({ isComplete }) => isComplete),
    [isRoot(), false],
  );
});

test("the baseline is the first group, also alone", async () => {
  const normal = await makeDebianTree(PACKAGES, FILES);
  const odd = await makeDebianTree(PACKAGES, { ...FILES, "usr/bin/extra": "a" });
  const { groups } = await compare([normal, normal, odd], KNOWN_NOISE, "node-2");
  assert.deepEqual(
    groups.map(({ nodes }) => nodes),
    [["node-2"], ["node-0", "node-1"]],
  );
  assert.equal(groups[1]!.causes.unowned[0]?.here, undefined);
  await assert.rejects(compare([normal], KNOWN_NOISE, "node-9"), { code: "usage" });
});

test("what is in effect: a setting, a deleted program; not compared with a tree that does not run", async () => {
  const snapshot = await snapshotOf(await makeDebianTree(PACKAGES, FILES));
  const table = new NodeTable();
  const running = (entries: Readonly<Record<string, string>>): typeof snapshot => ({
    ...snapshot,
    state: new Map(Object.entries({ kernel: "6.12.0", ...entries })),
  });
  table.add("a", running({ "sysctl:kernel/panic": "10", "sysctl:kernel/random/uuid": "1" }));
  table.add(
    "b",
    running({ "sysctl:kernel/panic": "0", "sysctl:kernel/random/uuid": "2", "running:/usr/bin/a": "deleted" }),
  );
  const { filesystems, groups } = compareNodes(table, { rules: KNOWN_NOISE });
  assert.equal(filesystems, 1);
  assert.deepEqual(named(groups[1]!.causes), ["state"]);
  assert.deepEqual(groups[1]!.causes.state, [
    { name: "sysctl:kernel/panic", here: "0", there: "10" },
    { name: "running:/usr/bin/a", here: "deleted", there: undefined },
  ]);
  table.add("tree", snapshot);
  const mixed = compareNodes(table, { rules: KNOWN_NOISE });
  assert.deepEqual([mixed.isStateCompared, mixed.groups.length], [false, 1]);
});
