import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { declaredExtensions, type DeclarationSources } from "./declaration.ts";
import { parseExtensionsFile } from "./extensions-file.ts";
import { parseTransferFile } from "./transfer-file.ts";

const NONE: DeclarationSources = { extensionsFile: null, links: [], files: [], transfers: [] };
const IMAGE = "/opt/extensions/kubernetes/kubernetes-v1.33.2-x86-64.raw";
const LINK = { path: "/etc/extensions/kubernetes.raw", target: IMAGE };
/** As on the slide "Component lifecycle with sysupdate". */
const TRANSFER_TEXT = `[Source]
Type=url-file
Path=https://extensions.flatcar.org/extensions/kubernetes/
MatchPattern=kubernetes-v1.33.@v-%a.raw

[Target]
Path=/opt/extensions/kubernetes
MatchPattern=kubernetes-v1.33.@v-%a.raw
CurrentSymlink=/etc/extensions/kubernetes.raw
`;
const TRANSFER = { path: "/etc/sysupdate.kubernetes.d/kubernetes-v1.33.transfer", text: TRANSFER_TEXT };
const TRANSFER_AGAIN = "/etc/sysupdate.kubernetes.d/kubernetes.transfer";
const REPOSITORY = { type: "repository" };

test("extensions.yaml: all members, and the fewest", () => {
  const text = `extensions:
  - name: kubernetes
    version: v1.33.*  # a glob
    tier: community
    kind: sysext
    updates: automatic
  - { name: hardening, version: "2", tier: opt-in, kind: confext }
`;
  assert.deepEqual(parseExtensionsFile(text), {
    declared: [
      {
        kind: "sysext",
        name: "kubernetes",
        pattern: "v1.33.*",
        tier: "community",
        updates: "automatic",
        source: REPOSITORY,
      },
      { kind: "confext", name: "hardening", pattern: "2", tier: "opt-in", updates: "manual", source: REPOSITORY },
    ],
    report: [],
  });
  for (const empty of ["", "# nothing\n", "extensions: []"]) {
    assert.deepEqual(parseExtensionsFile(empty), { declared: [], report: [] });
  }
});

test("extensions.yaml: every problem at once, each with its place, and the sound entries remain", () => {
  const { declared, report } = parseExtensionsFile(`extensions:
  - name: Kubernetes
    version: 1.10
    tier: comunity
  - name: python
    tier: opt-in
  - name: zfs
    version: "2.*"
    tier: opt-in
  - name: zfs
    version: "2.2"
    tier: opt-in
  - name: tools
    version: v*.*.*.*
    kind: portable
    updates: yes
    path: /etc
more: 1
`);
  assert.deepEqual(
    declared.map(({ name, pattern }) => `${name} ${pattern}`),
    ["zfs 2.*"],
  );
  const places = report.map(({ path, position }) => `${path} ${position?.line}:${position?.column}`);
  assert.deepEqual(places, [
    "$.extensions.0.name 2:11",
    "$.extensions.0.version 3:14",
    "$.extensions.0.tier 4:11",
    "$.extensions.1.version 5:5",
    "$.extensions.3.name 10:5",
    "$.extensions.4.version 14:14",
    "$.extensions.4.kind 15:11",
    "$.extensions.4.updates 16:14",
    "$.extensions.4.path 17:5",
    "$.more 18:1",
  ]);
});

const ENTRY = "{name: NAME, version: '1', tier: shipped}";
for (const [title, text] of [
  ["not YAML", "extensions: ["],
  ["a list", "- name: a"],
  ["a text", "kubernetes"],
  ["no list", "extensions: kubernetes"],
  ["two documents", "extensions: []\n---\nextensions: []\n"],
  ["an alias", "extensions: [&a {name: a}, *a]"],
  ["too deep", "[".repeat(16_000)],
  ["too large", `# ${"x".repeat(16_400)}`],
  ["too many", `extensions: [${Array.from({ length: 65 }, (_, n) => ENTRY.replace("NAME", `a${n}`)).join(", ")}]`],
] as const) {
  test(`extensions.yaml refused: ${title}`, () => {
    const { declared, report } = parseExtensionsFile(text);
    assert.equal(declared.length, 0);
    assert.ok(report.length > 0 && report.length <= 8);
  });
}

test("a transfer file of systemd-sysupdate", () => {
  const transfer = {
    name: "kubernetes",
    pattern: "v1.33.*",
    url: "https://extensions.flatcar.org/extensions/kubernetes/",
  };
  assert.deepEqual(parseTransferFile(TRANSFER_TEXT), { transfer, report: [] });
  const same = [
    `# a comment\n; another\n[Transfer]\nVerify=yes\nInstancesMax=3\n\n${TRANSFER_TEXT}Mode=0644\n[X-Mine]\na=b\n`,
    TRANSFER_TEXT.replace("[Target]\n", "[Target]\nType=regular-file\nPathRelativeTo=root\n"),
    TRANSFER_TEXT.replace("MatchPattern=kubernetes-v1.33.@v-%a.raw\nCurrent", "Current"),
    TRANSFER_TEXT.replace("/opt/extensions/kubernetes", "/opt/extensions/kubernetes/"),
    TRANSFER_TEXT.replace("MatchPattern=k", "MatchPattern=x-@v-%a.raw\nMatchPattern=\nMatchPattern = \\\n  k"),
    TRANSFER_TEXT.replaceAll("\n", "\r\n"),
    TRANSFER_TEXT.replaceAll("%a", "x86-64"),
  ];
  for (const text of same) assert.deepEqual(parseTransferFile(text).transfer, transfer, text);
});

for (const [from, to, place] of [
  ["Type=url-file", "Type=url-tar", "Source.Type"],
  ["Type=url-file\n", "", "Source.Type"],
  ["Path=https", "Path=ftp", "Source.Path"],
  ["Path=https", `Path=https://${"x".repeat(2048)}`, "Source.Path"],
  ["%a", "%b", "Source.MatchPattern"],
  ["@v", "@u", "Source.MatchPattern"],
  ["@v", "@v.@v", "Source.MatchPattern"],
  ["kubernetes-v1", "Kubernetes-v1", "Source.MatchPattern"],
  ["raw\n", "raw other-@v-%a.raw\n", "Source.MatchPattern"],
  ["raw\n\n[T", "raw\nMatchPattern=other-@v-%a.raw\n\n[T", "Source.MatchPattern"],
  ["raw\nC", "raw.xz\nC", "Target.MatchPattern"],
  ["[Target]\n", "[Target]\nType=partition\n", "Target.Type"],
  ["[Target]\n", "[Target]\nPathRelativeTo=boot\n", "Target.PathRelativeTo"],
  ["/opt/extensions/kubernetes", "/opt/extensions", "Target.Path"],
  ["extensions/kubernetes.raw", "extensions/k8s.raw", "Target.CurrentSymlink"],
  ["CurrentSymlink", "X", "Target.CurrentSymlink"],
  ["[Source]\n", "", undefined],
  ["[Target]", "[Target", undefined],
] as const) {
  test(`a transfer file refused: ${JSON.stringify(from)} is ${JSON.stringify(to.slice(0, 40))}`, () => {
    const { transfer, report } = parseTransferFile(TRANSFER_TEXT.replace(from, to));
    assert.equal(transfer, undefined);
    assert.ok(report.some(({ path }) => path === place));
  });
}

test("a transfer file too large, or with nothing but problems", () => {
  for (const text of [`#${"x".repeat(16_384)}`, "x\n".repeat(5000), "[A]\n", ""]) {
    const { transfer, report } = parseTransferFile(text);
    assert.equal(transfer, undefined);
    assert.ok(report.length > 0 && report.length <= 16);
  }
});

test("Flatcar's layout: an image, a link, a transfer", () => {
  const url = "https://extensions.flatcar.org/kubernetes-v1.33.2-x86-64.raw";
  const files = [{ path: IMAGE, url, hash: null }];
  const source = { type: "file", path: IMAGE, url, hash: null };
  const kubernetes = { kind: "sysext", name: "kubernetes", tier: null };
  assert.deepEqual(declaredExtensions({ ...NONE, files, links: [LINK], transfers: [TRANSFER] }), {
    declared: [
      {
        ...kubernetes,
        pattern: "v1.33.*",
        updates: "automatic",
        source: { ...source, updatesUrl: "https://extensions.flatcar.org/extensions/kubernetes/" },
      },
    ],
    problems: [],
  });
  const pinned = { ...kubernetes, pattern: "v1.33.2", updates: "manual" };
  assert.deepEqual(declaredExtensions({ ...NONE, links: [LINK] }), {
    declared: [{ ...pinned, source: { ...source, url: null, updatesUrl: null } }],
    problems: [],
  });
  const relative = { ...LINK, target: `../..${IMAGE}` };
  const masked = { path: "/etc/extensions/docker-flatcar.raw", target: "/dev/null" };
  const off = { ...TRANSFER, path: "/etc/sysupdate.kubernetes.d/noop.transfer", text: "" };
  assert.deepEqual(
    declaredExtensions({ ...NONE, links: [relative, masked], transfers: [off] }),
    declaredExtensions({ ...NONE, links: [LINK] }),
  );
});

test("versions may have a plus sign, and the letter that none may have is named", () => {
  const linkTo = (version: string): Partial<DeclarationSources> => ({
    links: [{ path: "/etc/extensions/k3s.raw", target: `/opt/extensions/k3s/k3s-${version}-x86-64.raw` }],
  });
  const text = TRANSFER_TEXT.replaceAll("kubernetes-v1.33.@v", "k3s-v1.33.@v+k3s1").replaceAll("kubernetes", "k3s");
  const transfers = [{ path: "/etc/sysupdate.k3s.d/k3s.transfer", text }];
  const both = declaredExtensions({ ...NONE, ...linkTo("v1.33.7+k3s1"), transfers });
  assert.deepEqual([both.declared.map(({ pattern }) => pattern), both.problems], [["v1.33.*+k3s1"], []]);
  const other = declaredExtensions({ ...NONE, ...linkTo("v1.33.7+k3s2"), transfers });
  assert.match(other.problems[0]?.message ?? "", /takes \(v1\.33\.\*\+k3s1\), found v1\.33\.7\+k3s2/u);
  for (const [version, letter] of [
    ["v1.33.7_1", '"_"'],
    ["v1.33.7-rc.1", '"-"'],
    ["1:2^3", '":"'],
  ] as const) {
    const { declared, problems } = declaredExtensions({ ...NONE, ...linkTo(version) });
    assert.deepEqual(declared, []);
    assert.equal(problems[0]?.hint, `a version may have letters, digits, points, ~ and +, not ${letter}`);
  }
});

test("transfers named .conf count where there is none named .transfer", () => {
  const conf = { path: "/etc/sysupdate.kubernetes.d/kubernetes.conf", text: TRANSFER_TEXT };
  const patterns = (...transfers: DeclarationSources["transfers"]): unknown => {
    const { declared, problems } = declaredExtensions({ ...NONE, links: [LINK], transfers });
    return problems.length > 0 ? problems : declared.map(({ pattern, updates }) => `${pattern} ${updates}`);
  };
  assert.deepEqual(patterns(conf), ["v1.33.* automatic"]);
  const wide = TRANSFER_TEXT.replaceAll("v1.33.@v", "v1.@v");
  assert.deepEqual(patterns({ ...conf, text: wide }, TRANSFER), ["v1.33.* automatic"]);
  assert.deepEqual(patterns(conf, { ...TRANSFER, text: "" }), ["v1.33.* automatic"]);
  assert.deepEqual(patterns({ ...conf, text: "" }), ["v1.33.2 manual"]);
});

test("both ways make one list, sorted by name", () => {
  const extensionsFile = "extensions: [{name: zfs, version: '2', tier: opt-in}, {name: a, version: '1', tier: opt-in}]";
  const { declared, problems } = declaredExtensions({ ...NONE, extensionsFile, links: [LINK] });
  assert.deepEqual([declared.map(({ name }) => name), problems], [["a", "kubernetes", "zfs"], []]);
});

test("a transfer file alone is a track: the extension may be there, and need not", () => {
  const text = TRANSFER_TEXT.replace("/etc/extensions/", "/var/lib/extensions/").replace(
    "/opt/extensions",
    "/var/lib/extensions.d",
  );
  for (const transfer of [TRANSFER, { ...TRANSFER, text }]) {
    const { declared, problems } = declaredExtensions({ ...NONE, transfers: [transfer] });
    assert.deepEqual(problems, []);
    const source = { type: "track", updatesUrl: "https://extensions.flatcar.org/extensions/kubernetes/" };
    assert.deepEqual(declared, [
      { kind: "sysext", name: "kubernetes", pattern: "v1.33.*", tier: null, updates: "automatic", source },
    ]);
  }
});

test("what contradicts itself is named with its file, and the rest remains", () => {
  const other = { path: "/etc/extensions/python.raw", target: "/opt/extensions/python/python-3.12-x86-64.raw" };
  const link = (target: string, path: string = LINK.path): Partial<DeclarationSources> => ({
    links: [{ path, target }, other],
  });
  const transfers = (...paths: readonly string[]): Partial<DeclarationSources> => ({
    links: [LINK, other],
    transfers: paths.map((path) => ({ path, text: TRANSFER_TEXT })),
  });
  const twice = "extensions: [{name: kubernetes, version: '1', tier: opt-in}]";
  const wrong: readonly [Partial<DeclarationSources>, string, RegExp, string?][] = [
    [{ links: [LINK, other], extensionsFile: twice }, LINK.path, /declared once/u, "kubernetes"],
    [{ links: [other], extensionsFile: "x: 1" }, "/etc/ashlar/extensions.yaml", /one of extensions/u],
    [link("/opt/extensions/kubernetes-v1.33.2-x86-64.raw"), LINK.path, /expected a link/u],
    [link("/opt/extensions/kubernetes/kubernetes-v1.33.2-arm64.raw"), LINK.path, /expected a link/u],
    [link("/opt/extensions/kubernetes/../kubernetes/kubernetes-v1-x86-64.raw"), LINK.path, /expected a link/u],
    [link("/opt/extensions/other/kubernetes-v1.33.2-x86-64.raw"), LINK.path, /expected a link/u],
    [link("/usr/lib/kubernetes-v1.33.2-x86-64.raw"), LINK.path, /expected a link/u],
    [link(IMAGE.replace("v1.33.2", "v1.33.2_1")), LINK.path, /expected a link/u],
    [link(IMAGE, "/etc/extensions/k8s.raw"), "/etc/extensions/k8s.raw", /expected a link/u],
    [
      { ...link(IMAGE.replace("v1.33", "v1.32")), transfers: [TRANSFER] },
      LINK.path,
      /\(v1\.33\.\*\), found v1\.32\.2/u,
    ],
    [
      transfers("/etc/sysupdate.d/k.transfer"),
      "/etc/sysupdate.d/k.transfer",
      /in \/etc\/sysupdate\.kubernetes\.d/u,
      "kubernetes",
    ],
    [transfers(TRANSFER.path, TRANSFER_AGAIN), TRANSFER_AGAIN, /one transfer/u, "kubernetes"],
    [{ links: [other], transfers: [{ ...TRANSFER, text: "[Source]" }] }, TRANSFER.path, /expected/u],
  ];
  for (const [sources, file, message, remaining] of wrong) {
    const { declared, problems } = declaredExtensions({ ...NONE, ...sources });
    assert.equal(problems[0]?.file, file, JSON.stringify(sources));
    assert.match(problems[0]?.message ?? "", message);
    const names = [remaining, sources.links?.includes(other) === true ? "python" : undefined];
    assert.deepEqual(
      declared.map(({ name }) => name),
      names.filter((name) => name !== undefined),
    );
  }
});

test("a node has at most 64", () => {
  const links = Array.from({ length: 65 }, (_, n) => ({
    path: `/etc/extensions/a${n}.raw`,
    target: `/opt/extensions/a${n}/a${n}-1-x86-64.raw`,
  }));
  const { declared, problems } = declaredExtensions({ ...NONE, links });
  assert.deepEqual([declared.length, problems.length], [64, 1]);
});

test("no text breaks the parsers", () => {
  const word = fc.constantFrom(
    "extensions",
    "name",
    ":",
    " ",
    "\n",
    "-",
    "[",
    "]",
    "{",
    "}",
    "=",
    "%a",
    "@v",
    "\\",
    "[Source]",
  );
  const texts = fc.oneof(
    fc.string(),
    fc.array(word).map((words) => words.join("")),
  );
  fc.assert(
    fc.property(texts, texts, (first, second) => {
      const links = [{ path: first, target: second }];
      const transfers = [{ path: "/etc/sysupdate.a.d/a.transfer", text: second }];
      const { declared, problems } = declaredExtensions({ ...NONE, extensionsFile: first, links, transfers });
      return declared.length === 0 && problems.length > 0;
    }),
  );
});
