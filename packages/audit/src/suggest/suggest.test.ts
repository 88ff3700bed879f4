import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { KNOWN_NOISE } from "../rules/known-noise.ts";
import type { Snapshot, SnapshotFile } from "../snapshot/snapshot.ts";
import { classFile, filesToCopy } from "./class-file.ts";
import { suggestClass } from "./suggest-class.ts";

const DIGEST = "ab".repeat(32);

function file(path: string, more: Partial<SnapshotFile> = {}): SnapshotFile {
  return {
    path,
    type: "file",
    mode: "644",
    owner: "0",
    group: "0",
    sizeBytes: 1,
    target: "",
    digest: DIGEST,
    modified: undefined,
    capabilities: undefined,
    ...more,
  };
}

function node(files: readonly SnapshotFile[], more: Partial<Snapshot> = {}): Snapshot {
  return {
    host: "a",
    facts: { system: "Debian 13", kernel: undefined, kubelet: undefined },
    files,
    packages: new Map(),
    owned: [{ owner: "sudo", paths: ["/etc/sudo.conf"], configuration: [] }],
    configurationFiles: new Set(),
    installations: [],
    state: new Map(),
    unread: [],
    missing: [],
    isByRoot: true,
    ...more,
  };
}

test("files that no package has brought are the class's, held to their digests", () => {
  const found = suggestClass(
    node([
      file("/etc/sysctl.d/90-web.conf", { mode: "0640", owner: "7", group: "8" }),
      file("/etc/sysctl.d/80-all.conf", { mode: "755" }),
      file("/etc/sudo.conf"),
      file("/usr/local/bin/tool"),
      file("/etc/cron.d", { type: "directory", digest: undefined }),
      file("/etc/web/current", { type: "link", target: "../web-2", digest: undefined }),
    ]),
    KNOWN_NOISE,
  );
  assert.deepEqual(parse(classFile(found), { version: "1.1" }), {
    variant: "flatcar",
    version: "1.0.0",
    storage: {
      files: [
        {
          path: "/etc/sysctl.d/80-all.conf",
          mode: 0o755,
          overwrite: true,
          contents: { local: "etc/sysctl.d/80-all.conf", verification: { hash: `sha256-${DIGEST}` } },
        },
      ],
      links: [{ path: "/etc/web/current", target: "../web-2" }],
    },
  });
  assert.deepEqual(filesToCopy(found), ["etc/sysctl.d/80-all.conf"]);
  assert.match(classFile(found), /mode: 0755\n/u);
  assert.deepEqual(
    found.leftOut.map(({ path }) => path),
    ["/etc/sysctl.d/90-web.conf"],
  );
  assert.match(found.leftOut[0]?.reason ?? "", /not everybody may read it/u);
});

test("units: enabled where something wants them, masked where they lead to nothing", () => {
  const found = suggestClass(
    node([
      file("/etc/systemd/system/web.service"),
      file("/etc/systemd/system/web.service.d/10-limits.conf"),
      file("/etc/systemd/system/idle.timer"),
      file("/etc/systemd/system/cups.service", { type: "link", target: "/dev/null", digest: undefined }),
      file("/etc/systemd/system/multi-user.target.wants/web.service", { type: "link", target: "../web.service" }),
    ]),
    KNOWN_NOISE,
  );
  assert.deepEqual(parse(classFile(found)).systemd, {
    units: [
      { name: "cups.service", mask: true },
      { name: "idle.timer", enabled: false },
      { name: "web.service", enabled: true },
    ],
  });
  assert.deepEqual(filesToCopy(found), [
    "etc/systemd/system/idle.timer",
    "etc/systemd/system/web.service",
    "etc/systemd/system/web.service.d/10-limits.conf",
  ]);
});

test("what is a node's own, a secret, made by others, or cannot be written is left out with its reason", () => {
  const paths = {
    "/etc/machine-id": /made at random/u,
    "/etc/shadow": /salted/u,
    "/etc/kubernetes/kubelet.conf": /each node has certificates/u,
    "/etc/kubernetes/pki/ca.crt": /when it joins/u,
    "/etc/apt/sources.list.d/docker.list": /no package manager/u,
    "/etc/netplan/50-cloud-init.yaml": /Ignition/u,
    "/etc/bad\\xff.conf": /no plain text/u,
    "/etc/two\nlines.conf": /no plain text/u,
  };
  const found = suggestClass(
    node([
      ...Object.keys(paths).map((path) => file(path)),
      file("/etc/pipe", { type: "fifo", digest: undefined }),
      file("/etc/large", { digest: undefined }),
    ]),
    KNOWN_NOISE,
  );
  assert.deepEqual([found.files, found.links], [[], []]);
  const reasons = new Map(found.leftOut.map(({ path, reason }) => [path, reason]));
  for (const [path, reason] of Object.entries(paths)) assert.match(reasons.get(path) ?? "", reason, path);
  assert.equal(reasons.get("/etc/pipe"), "a fifo");
  assert.equal(reasons.get("/etc/large"), "its content is not known");
});

test("people and Kubernetes", () => {
  const state = new Map([
    ["user:root", "0:0:/root:/bin/bash"],
    ["user:admin", "1000:1000:/home/admin:/bin/bash"],
    ["user:nobody", "65534:65534:/nonexistent:/usr/sbin/nologin"],
    ["user:backup", "1001:1001:/srv/backup:/usr/sbin/nologin"],
  ]);
  const found = suggestClass(
    node([file("/opt/cni/bin/bridge")], {
      state,
      facts: { system: undefined, kernel: undefined, kubelet: "Kubernetes v1.33.4" },
    }),
    [],
  );
  const { passwd, storage } = parse(classFile(found));
  assert.deepEqual(passwd, { users: [{ name: "admin", uid: 1000, home_dir: "/home/admin", shell: "/bin/bash" }] });
  assert.deepEqual(parse(storage.files[0].contents.inline), {
    extensions: [
      { name: "kubernetes", version: "v1.33.*", tier: "community" },
      { name: "cni", version: "*", tier: "opt-in" },
    ],
  });
});

test("a node without configuration of its own is a class all the same", () => {
  assert.deepEqual(parse(classFile(suggestClass(node([]), []))), { variant: "flatcar", version: "1.0.0" });
});
