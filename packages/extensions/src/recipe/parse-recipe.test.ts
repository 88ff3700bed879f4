import assert from "node:assert/strict";
import { test } from "node:test";
import { formatProblem } from "@ashlar/base";
import { NO_BEHAVIOUR } from "@ashlar/protocol";
import fc from "fast-check";
import { parseRecipe } from "./parse-recipe.ts";
import { withVersion } from "./recipe.ts";

const TEXT = `
name: kubernetes
summary: kubelet, kubeadm and kubectl
tier: community
version: v1.33.5
updates: v1.33.*
debs: [conntrack, libfoo++1]
leaveOut: [/usr/lib/foo/*]
download:
  - url: https://dl.k8s.io/release/@VERSION@/bin/linux/amd64/kubelet
    path: /usr/bin/kubelet
    sha256:
      - { version: v1.33.5, digest: ${"ab".repeat(32)} }
go:
  module: k8s.io/kubernetes
  ldflags: -X k8s.io/component-base/version.gitVersion=@VERSION@
  packages:
    - { path: k8s.io/kubernetes/cmd/kubelet, binary: /usr/bin/kubelet }
  otherPackages:
    - { path: k8s.io/kubernetes/cmd/kube-proxy, binary: /usr/local/bin/kube-proxy }
kernelModule: { source: source }
behaviour:
  restart: [kubelet.service]
  healthCheck: /usr/lib/ashlar/health.d/kubernetes
`;

test("a recipe with everything", () => {
  const { recipe, report } = parseRecipe(TEXT);
  assert.deepEqual(report, []);
  assert.deepEqual(recipe, {
    name: "kubernetes",
    summary: "kubelet, kubeadm and kubectl",
    kind: "sysext",
    tier: "community",
    version: { type: "fixed", version: "v1.33.5" },
    updates: "v1.33.*",
    debs: ["conntrack", "libfoo++1"],
    leaveOut: ["/usr/lib/foo/*"],
    downloads: [
      {
        url: "https://dl.k8s.io/release/@VERSION@/bin/linux/amd64/kubelet",
        path: "/usr/bin/kubelet",
        sha256: new Map([["v1.33.5", "ab".repeat(32)]]),
      },
    ],
    go: {
      module: "k8s.io/kubernetes",
      ldflags: "-X k8s.io/component-base/version.gitVersion=@VERSION@",
      packages: [{ path: "k8s.io/kubernetes/cmd/kubelet", binary: "/usr/bin/kubelet" }],
      otherPackages: [{ path: "k8s.io/kubernetes/cmd/kube-proxy", binary: "/usr/local/bin/kube-proxy" }],
    },
    kernelModule: { source: "source" },
    behaviour: {
      ...NO_BEHAVIOUR,
      restart: ["kubelet.service"],
      healthCheck: "/usr/lib/ashlar/health.d/kubernetes",
    },
  });
});

test("the version goes into URLs and flags, with or without its v", () => {
  assert.equal(withVersion("a/@VERSION@/b-@NUMBER@", "v1.2.3"), "a/v1.2.3/b-1.2.3");
});

test("the least that a recipe says", () => {
  const { recipe } = parseRecipe("name: a\nsummary: b\ntier: opt-in\nversionOfDeb: tcpdump\n");
  assert.deepEqual(recipe?.version, { type: "deb", package: "tcpdump" });
  assert.deepEqual([recipe.kind, recipe.updates, recipe.go, recipe.behaviour], ["sysext", "*", null, NO_BEHAVIOUR]);
});

test("what is wrong is named with its place", () => {
  const wrong: readonly [string, string, RegExp][] = [
    ["name: kubernetes", "name: Kubernetes", /3:?|\$\.name: expected a name such as debug-tools/u],
    ["name: kubernetes", "", /\$\.name: expected a value/u],
    ["summary: kubelet, kubeadm and kubectl", "summary: [1]", /\$\.summary: expected one line/u],
    ["tier: community", "tier: mine", /\$\.tier: expected one of shipped, opt-in, community/u],
    ["version: v1.33.5", "", /either version or versionOfDeb/u],
    ["version: v1.33.5", "version: v1-33", /\$\.version: expected a version such as/u],
    ["updates: v1.33.*", "updates: newest", /\$\.updates: expected a pattern/u],
    ["conntrack,", "../conntrack,", /\$\.debs\.0: expected a Debian package/u],
    ["https://dl", "ftp://dl", /\$\.download\.0\.url: expected an https/u],
    ["path: /usr/bin/kubelet", "path: /usr/../etc/passwd", /\$\.download\.0\.path: expected a path/u],
    ["digest: ab", "digest: xb", /digest: expected 64/u],
    ["module: k8s.io/kubernetes", "module: 7", /\$\.go\.module: expected a module path/u],
    ["binary: /usr/bin/kubelet", "binary: kubelet", /\$\.go\.packages\.0\.binary: expected a path/u],
    ["/usr/local/bin", "bin", /\$\.go\.otherPackages\.0\.binary: expected a path/u],
    ["source: source", "source: ../source", /\$\.kernelModule\.source: expected the name of a folder/u],
    ["restart: [kubelet.service]", "restart: [kubelet]", /\$\.behaviour\.restart\.0: expected a unit/u],
    ["health.d/kubernetes", "health.d/../x/y", /\$\.behaviour\.healthCheck: expected a file/u],
    ["behaviour:", "behavior:", /\$\.behavior: expected one of name/u],
  ];
  for (const [from, to, message] of wrong) {
    const { recipe, report } = parseRecipe(TEXT.replace(from, to));
    assert.equal(recipe, undefined, to);
    assert.match(report.map((problem) => formatProblem(problem)).join("\n"), message, to);
  }
});

test("no YAML, nothing, too much", () => {
  assert.match(parseRecipe("").report[0]?.message ?? "", /found nothing/u);
  assert.equal(parseRecipe("{").recipe, undefined);
  assert.equal(parseRecipe("[]").recipe, undefined);
  assert.match(parseRecipe("#".repeat(70_000)).report[0]?.message ?? "", /at most/u);
});

test("fuzz: a recipe or a report", () => {
  fc.assert(
    fc.property(fc.nat(TEXT.length), fc.string({ maxLength: 12 }), fc.nat(20), (at, text, removed) => {
      const { recipe, report } = parseRecipe(TEXT.slice(0, at) + text + TEXT.slice(at + removed));
      assert.ok(recipe !== undefined || report.length > 0);
    }),
  );
});
