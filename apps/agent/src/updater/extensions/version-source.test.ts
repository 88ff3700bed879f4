import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { DeclaredExtension } from "@ashlar/declaration";
import { TestExtensionNode } from "../../extensions/test-extension-node.ts";
import { type VersionSource, versionSource } from "./version-source.ts";

const OURS = "https://releases.example/extensions/kubernetes/";
const THEIRS = "https://extensions.example/kubernetes/";
const CONTEXT = { report: () => undefined, signal: new AbortController().signal };

function linked(updatesUrl: string | null): DeclaredExtension {
  const path = "/opt/extensions/kubernetes/kubernetes-v1.33.2-x86-64.raw";
  const source = { type: "file", path, url: null, hash: null, updatesUrl } as const;
  return { kind: "sysext", name: "kubernetes", pattern: "v1.33.*", tier: null, updates: "automatic", source };
}

async function sourceOf(node: TestExtensionNode, extension: DeclaredExtension): Promise<VersionSource> {
  const open = async (): Promise<never> => await Promise.reject(new Error("our repository is opened"));
  return await versionSource(node.paths, extension, { repository: "https://releases.example" }, open, CONTEXT);
}

/** Stands in for systemd-sysupdate: lists versions as it does, and notes what it is asked for. */
function standIn(node: TestExtensionNode, versions: readonly string[]): string {
  const log = join(node.root, "asked");
  mkdirSync(dirname(node.paths.sysupdate), { recursive: true });
  const list = JSON.stringify({ current: "2", all: versions });
  writeFileSync(node.paths.sysupdate, `#!/bin/sh\necho "$*" >>${log}\ncase "$*" in *list) echo '${list}' ;; esac\n`);
  chmodSync(node.paths.sysupdate, 0o755);
  return log;
}

test("a transfer from our own repository means the signed repository", async () => {
  using node = new TestExtensionNode();
  await assert.rejects(sourceOf(node, linked(OURS)), /our repository is opened/u);
  await assert.rejects(sourceOf(node, linked(OURS.slice(0, -1))), /our repository is opened/u);
  await assert.rejects(sourceOf(node, { ...linked(null), source: { type: "repository" } }), /our repository/u);
});

test("another server is left to systemd-sysupdate, whose versions are what its pattern has at @v", async () => {
  using node = new TestExtensionNode();
  const log = standIn(node, ["10", "9", "../x", "2"]);
  const target =
    "Path=/var/lib/extensions.d/kubernetes\nCurrentSymlink=/var/lib/extensions/kubernetes.raw\nInstancesMax=2";
  node.write(
    "base/etc/sysupdate.kubernetes.d/kubernetes.transfer",
    `[Source]\nType=url-file\nPath=${THEIRS}\nMatchPattern=kubernetes-v1.33.@v-%a.raw\n[Target]\n${target}`,
  );
  const source = await sourceOf(node, linked(THEIRS));
  const wish = { running: "v1.33.2", failed: [] };
  assert.equal(await source.choose(wish), "v1.33.10");
  assert.equal(await source.choose({ ...wish, failed: ["v1.33.10"] }), "v1.33.9");
  assert.equal(await source.choose({ ...wish, failed: ["v1.33.10"], retry: true }), "v1.33.10");
  assert.equal(await source.choose({ ...wish, running: "v1.33.11" }), "v1.33.11");
  await assert.rejects(source.choose({ ...wish, running: "v1.33.10", to: "v1.33.9" }), { code: "invalid" });
  assert.equal(
    await source.choose({ running: "v1.33.10", failed: [], to: "v1.33.9", allowDowngrade: true }),
    "v1.33.9",
  );
  await assert.rejects(source.choose({ ...wish, to: "v1.33.11" }), { code: "not-found" });
  await assert.rejects(source.choose({ ...wish, to: "v1.33.9", failed: ["v1.33.9"] }), { code: "conflict" });
  await source.install("v1.33.10", "v1.33.2");
  const directory = join(node.paths.extensions.runtime, "sysupdate");
  assert.ok(readFileSync(log, "utf8").endsWith(`--definitions=${directory} update 10\n`));
  const definition = readFileSync(join(directory, "kubernetes.transfer"), "utf8");
  // The last assignment counts: the node has its images in one place, and keeps what is merged.
  assert.match(definition, /Path=https:.*InstancesMax=2.*ProtectVersion=2\n.*\nInstancesMax=3\n/su);
  assert.equal(
    /.*(?<path>\nPath=.*?\n)/su.exec(definition)?.groups?.["path"]?.trim(),
    `Path=${join(node.paths.extensions.store, "kubernetes")}`,
  );
});

test("a link alone has the one version that it names", async () => {
  using node = new TestExtensionNode();
  const source = await sourceOf(node, linked(null));
  assert.equal(await source.choose({ failed: [] }), "v1.33.2");
  await assert.rejects(source.install("v1.33.2", undefined), { code: "not-found" });
});
