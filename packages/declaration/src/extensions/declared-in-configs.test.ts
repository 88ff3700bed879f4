import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { AshlarError } from "@ashlar/base";
import fc from "fast-check";
import { findDeclarationProblems } from "../find-declaration-problems.ts";
import { declaredInConfigs } from "./declared-in-configs.ts";

const NOTHING = new Uint8Array();
const IMAGE = "/opt/extensions/kubernetes/kubernetes-v1.33.2-x86-64.raw";
const URL = "https://extensions.flatcar.org/kubernetes-v1.33.2-x86-64.raw";
const TRANSFER = `[Source]
Type=url-file
Path=https://extensions.flatcar.org/extensions/kubernetes/
MatchPattern=kubernetes-v1.33.@v-%a.raw
[Target]
Path=/opt/extensions/kubernetes
CurrentSymlink=/etc/extensions/kubernetes.raw
`;
const YAML = "extensions: [{name: python, version: '3.12', tier: opt-in}]";
const YAML_PATH = "/etc/ashlar/extensions.yaml";

function bytes(config: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(config));
}

function data(content: string | Uint8Array): string {
  return `data:;base64,${Buffer.from(content).toString("base64")}`;
}

function yamlFile(text: string): object {
  return { path: YAML_PATH, contents: { source: data(text) } };
}

function storage(...files: readonly unknown[]): object {
  return { ignition: { version: "3.4.0" }, storage: { files } };
}

function merge(...configs: readonly unknown[]): object {
  return { ignition: { config: { merge: configs.map((config) => ({ source: data(bytes(config)) })) } } };
}

/** As on the slide "Demo: Provision & Prove Immutability", with the transfer of a later one. */
const TALK = {
  ignition: { version: "3.3.0" },
  storage: {
    files: [
      { path: IMAGE, contents: { source: URL } },
      {
        path: "/etc/sysupdate.kubernetes.d/kubernetes-v1.33.transfer",
        contents: { source: data(gzipSync(TRANSFER)), compression: "gzip" },
      },
    ],
    links: [{ path: "/etc/extensions/kubernetes.raw", target: IMAGE, hard: false }],
  },
};

function names(classConfig: unknown, nodeConfig?: unknown): string {
  const node = nodeConfig === undefined ? NOTHING : bytes(nodeConfig);
  return declaredInConfigs(bytes(classConfig), node)
    .map(({ name, pattern }) => `${name} ${pattern}`)
    .join(", ");
}

test("a config in Flatcar's layout declares kubernetes with its patch releases", () => {
  assert.deepEqual(declaredInConfigs(bytes(TALK), NOTHING), [
    {
      kind: "sysext",
      name: "kubernetes",
      pattern: "v1.33.*",
      tier: null,
      updates: "automatic",
      source: {
        type: "file",
        path: IMAGE,
        url: URL,
        hash: null,
        updatesUrl: "https://extensions.flatcar.org/extensions/kubernetes/",
      },
    },
  ]);
  assert.deepEqual(declaredInConfigs(NOTHING, NOTHING), []);
});

test("both parts and merged configs, as Ignition reads them", () => {
  const file = yamlFile(YAML);
  assert.equal(names(storage(file), TALK), "kubernetes v1.33.*, python 3.12");
  assert.equal(names(merge(TALK, merge(storage(file)))), "kubernetes v1.33.*, python 3.12");
  // Ignition would take it.
  assert.throws(() => names({ Storage: { files: [file] } }), { code: "malformed" });
  assert.equal(names({ ignition: { config: { replace: { source: data(bytes(TALK)) } } }, ...storage() }), "");
  const replace = { source: data(bytes(TALK)) };
  assert.equal(names({ ignition: { config: { replace } }, storage: { files: [file] } }), "kubernetes v1.33.*");
  // What only Ignition's spelling has in common with it.
  assert.equal(names({ storage: { files: [{ path: "/etc/ashlar/extensions.yaml.d/x", contents: {} }] } }), "");
});

test("the class part wins over the node's own, what is merged over what merges it", () => {
  const own = storage(yamlFile(YAML.replace("3.12", "3.13")));
  assert.equal(names(storage(yamlFile(YAML)), own), "python 3.12");
  assert.equal(names({ ...merge(own), storage: { files: [yamlFile(YAML)] } }), "python 3.13");
  const mode = { path: YAML_PATH, mode: 384 };
  assert.equal(names(storage(mode), storage(yamlFile(YAML))), "python 3.12");
  const links = [{ path: "/etc/extensions/kubernetes.raw", target: "/dev/null" }];
  assert.equal(names({ storage: { links } }, { storage: { ...TALK.storage, files: [] } }), "");
});

test("a pinned image keeps its digest", () => {
  const digest = "ab".repeat(32);
  const file = { path: IMAGE, contents: { source: URL, verification: { hash: `sha256-${digest}` } } };
  const { links } = TALK.storage;
  const [declared] = declaredInConfigs(bytes({ storage: { files: [file], links } }), NOTHING);
  assert.deepEqual(declared?.source, {
    type: "file",
    path: IMAGE,
    url: URL,
    hash: `sha256-${digest}`,
    updatesUrl: null,
  });
  const inline = { path: IMAGE, contents: { source: "data:,x" } };
  const [other] = declaredInConfigs(bytes({ storage: { files: [inline], links } }), NOTHING);
  assert.deepEqual(other?.source, { type: "file", path: IMAGE, url: null, hash: null, updatesUrl: null });
});

test("what cannot be known here, or is wrong, is refused", () => {
  const link = { path: YAML_PATH, target: "/var/x" };
  const refused: readonly [unknown, RegExp][] = [
    [storage({ path: YAML_PATH, contents: { source: "https://example.org/x" } }), /content of .*found https:/u],
    [storage({ path: YAML_PATH, append: [{ source: "data:,x" }] }), /in the config itself/u],
    [{ storage: { links: [link] } }, /found a link to \/var\/x/u],
    [storage({ path: "/etc/extensions/a.raw", contents: { source: URL } }), /expected a link/u],
    [
      storage(yamlFile("extensions: [{name: A, version: '1', tier: x}]")),
      /extensions\.yaml:1:21: \$\.extensions\.0\.name/u,
    ],
    [storage(yamlFile("a: 1\nb: 1\nc: 1\nd: 1\ne: 1\nf: 1\ng: 1")), /; and 2 more$/u],
  ];
  for (const [config, message] of refused) {
    assert.throws(() => names(config), { code: "invalid", message }, JSON.stringify(config));
  }
  assert.throws(() => declaredInConfigs(Buffer.from("{"), NOTHING), { code: "malformed" });
  assert.throws(() => names(storage({ path: YAML_PATH, contents: { source: "data:" } })), { code: "malformed" });
});

test("small configs that unpack to large ones are refused", () => {
  const bomb = { source: data(gzipSync(`{"a":"${" ".repeat(4 * 1024 * 1024)}"}`)), compression: "gzip" };
  const config = { ignition: { config: { merge: Array.from({ length: 100 }, () => bomb) } } };
  assert.throws(() => names(config), { code: "limit" });
  const links = Array.from({ length: 257 }, (_, index) => ({ path: `/etc/extensions/${index}`, target: "/dev/null" }));
  assert.throws(() => names({ storage: { links } }), { code: "limit" });
  let nested: object = {};
  for (let depth = 0; depth < 6; depth++) nested = merge(nested);
  assert.throws(() => names(nested), { code: "limit" });
});

test("any bytes give a list or an AshlarError", () => {
  const configs = fc.oneof(
    fc.uint8Array(),
    fc.json().map((text) => Buffer.from(text)),
    fc.string().map((text) => bytes(storage(yamlFile(text)))),
  );
  fc.assert(
    fc.property(configs, configs, (classConfig, nodeConfig) => {
      try {
        declaredInConfigs(classConfig, nodeConfig);
      } catch (error) {
        if (!(error instanceof AshlarError)) throw error;
      }
    }),
  );
});

test("one config's problems come as a report, each with the file that it is in", () => {
  const link = { path: "/etc/extensions/a.raw", target: "/opt/extensions/a/a-1_2-x86-64.raw" };
  const conf = { path: "/etc/sysupdate.a.d/a.conf", contents: { source: data("[Source]\nType=tar\n") } };
  const report = findDeclarationProblems(
    bytes({ storage: { files: [conf, yamlFile("extensions: 1")], links: [link] } }),
  );
  const places = new Set(report.map(({ severity, message }) => `${severity} ${message.split(":", 1).join("")}`));
  for (const file of ["/etc/extensions/a.raw", "/etc/sysupdate.a.d/a.conf", YAML_PATH]) {
    assert.ok(places.has(`error ${file}`), file);
  }
  assert.deepEqual(findDeclarationProblems(bytes(TALK)), []);
  const remote = { path: YAML_PATH, contents: { source: "https://example.org/extensions.yaml" } };
  assert.match(findDeclarationProblems(bytes(storage(remote)))[0]?.message ?? "", /in the config itself/u);
});
