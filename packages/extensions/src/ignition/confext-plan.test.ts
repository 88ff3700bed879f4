import assert from "node:assert/strict";
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { stageIgnition } from "../sources/stage-ignition.ts";
import { planConfext } from "./confext-plan.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-confext-"));
after(() => rmSync(directory, { recursive: true }));

const UNIT = "[Service]\nExecStart=/usr/bin/true\n[Install]\nWantedBy=multi-user.target a.target\nAlias=b.service\n";
const CONFIG = {
  ignition: { version: "3.4.0" },
  storage: {
    directories: [{ path: "/etc/site", mode: 0o700 }],
    files: [
      { path: "/etc/site/motd", contents: { source: "data:,hello%20there" }, mode: 0o600, overwrite: true },
      {
        path: "/etc/site/packed",
        contents: { source: `data:;base64,${gzipSync("packed").toString("base64")}`, compression: "gzip" },
        user: { name: "root" },
        group: { id: 0 },
      },
      { path: "/etc/empty" },
    ],
    links: [{ path: "/etc/localtime", target: "../usr/share/zoneinfo/UTC" }],
  },
  systemd: {
    units: [
      { name: "a.service", contents: UNIT, enabled: true, dropins: [{ name: "10-x.conf", contents: "[Service]\n" }] },
      { name: "sshd.service", mask: true },
    ],
  },
};

test("files, links, directories and units become a tree", async () => {
  const tree = mkdtempSync(join(directory, "tree-"));
  await stageIgnition(Buffer.from(JSON.stringify(CONFIG)), tree);
  const text = (path: string): string => readFileSync(join(tree, path), "utf8");
  assert.equal(text("etc/site/motd"), "hello there");
  assert.equal(text("etc/site/packed"), "packed");
  assert.equal(text("etc/empty"), "");
  assert.equal(text("etc/systemd/system/a.service"), UNIT);
  assert.equal(text("etc/systemd/system/a.service.d/10-x.conf"), "[Service]\n");
  const mode = (path: string): number => lstatSync(join(tree, path)).mode & 0o777;
  assert.deepEqual([mode("etc/site"), mode("etc/site/motd"), mode("etc/empty")], [0o700, 0o600, 0o644]);
  const target = (path: string): string => readlinkSync(join(tree, path));
  assert.equal(target("etc/localtime"), "../usr/share/zoneinfo/UTC");
  assert.equal(target("etc/systemd/system/sshd.service"), "/dev/null");
  assert.equal(target("etc/systemd/system/multi-user.target.wants/a.service"), "../a.service");
  assert.equal(target("etc/systemd/system/a.target.wants/a.service"), "../a.service");
  assert.equal(target("etc/systemd/system/b.service"), "a.service");
});

test("everything that has no place in a confext is named, all at once", () => {
  const text = JSON.stringify({
    ignition: { version: "3.4.0", config: { merge: [] } },
    passwd: { users: [{ name: "core" }] },
    storage: {
      disks: [],
      files: [
        { path: "/opt/a" },
        { path: "/etc/../a" },
        { path: "/etc/a", contents: { source: "https://example.org/a" } },
        { path: "/etc/b", append: [] },
        { path: "/etc/c", user: { name: "core" } },
        { path: "/etc/d", mode: 0o4755 },
      ],
      links: [{ path: "/etc/e", target: "a", hard: true }],
    },
  });
  assert.throws(
    () => planConfext(Buffer.from(text)),
    (error: Error) => {
      for (const place of [
        "$.ignition: Unrecognized key",
        "$: Unrecognized key",
        "$.storage: Unrecognized key",
        "$.storage.files.0.path: expected a path below /etc",
        "$.storage.files.1.path",
        "$.storage.files.2.contents.source",
        "$.storage.files.3: Unrecognized key",
        "$.storage.files.4.user.name",
        "$.storage.files.5.mode",
        "$.storage.links.0.hard",
      ]) {
        assert.ok(error.message.includes(place), `${place} in ${error.message}`);
      }
      return true;
    },
  );
});

test("units whose links only systemctl could make", () => {
  const plan = (unit: object) => () =>
    planConfext(
      Buffer.from(
        JSON.stringify({ ignition: { version: "3.3.0" }, systemd: { units: [{ name: "a.service", ...unit }] } }),
      ),
    );
  const cases: readonly [object, RegExp][] = [
    [{ enabled: true }, /expected the contents of a\.service/u],
    [{ enabled: false }, /expected the contents of a\.service/u],
    [{ enabled: true, contents: "[Service]\n" }, /an \[Install\] section/u],
    [{ enabled: true, contents: "[Install]\nAlso=b.service\n" }, /found Also/u],
    [{ enabled: true, contents: "[Install]\nWantedBy=../x\n" }, /names of units, found \.\.\/x/u],
    [{ name: "a@b.service", enabled: true, contents: UNIT }, /no template/u],
    [{ name: "../a.service" }, /a unit's name/u],
    [{ dropins: [{ name: "x", contents: "" }] }, /ends in \.conf/u],
  ];
  for (const [unit, message] of cases) assert.throws(plan(unit), { code: "invalid", message });
});

test("what is no config", () => {
  const twice = '{"ignition":{"version":"3.3.0"},"storage":{"files":[]},"storage":{}}';
  assert.throws(() => planConfext(Buffer.from(twice)), { code: "malformed", message: /found "storage" again/u });
  assert.throws(() => planConfext(Buffer.from("{")), { code: "malformed" });
  assert.throws(() => planConfext(Buffer.from("null")), { code: "invalid" });
  assert.throws(() => planConfext(Buffer.alloc(65 * 1024 * 1024)), { code: "limit" });
});

test("a path that is told twice", async () => {
  const unit = { name: "a.service", contents: UNIT };
  const files = [{ path: "/etc/systemd/system/a.service" }];
  const config = { ignition: { version: "3.3.0" }, storage: { files }, systemd: { units: [unit] } };
  await assert.rejects(stageIgnition(Buffer.from(JSON.stringify(config)), mkdtempSync(join(directory, "tree-"))), {
    code: "conflict",
  });
});
