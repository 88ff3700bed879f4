/** What declares a node's extensions, and what nodes say of them. */
import { parseExtensionsStatus } from "@ashlar/protocol/answers";
import * as declaration from "@ashlar/declaration";
import {
  checkCertificate,
  checkInclusionProof,
  formatNoteKey,
  parseBundle,
  parseCertificate,
  parseEntry,
  parseFleet,
  parseNoteKey,
  readCosignatures,
} from "@ashlar/fleet";
import type { ExtensionsStatus } from "@ashlar/protocol";
import {
  fleetCertificate,
  HISTORY_KEY,
  HISTORY_WITNESS,
  historyEntry,
  historyProof,
  nodeCertificate,
} from "./certificate-seeds.ts";
import * as seeds from "./seeds.ts";
import type { Target } from "./target.ts";

const FILE = "extensions:\n  - {name: kubernetes, version: v1.33.*, tier: community, kind: sysext, updates: manual}\n";
const FLEET = `schema: ashlar.fleet/v1
releases: https://releases.example.org/
classes:
  worker: {config: worker.bu, channel: stable, trust: {ekRoots: makers.pem}}
nodes:
  - {name: a, class: worker, labels: {zone: a}}
  - {pattern: "node-[1-3]", class: worker, url: "https://{name}.example.org:7443"}
  - {source: kubernetes, selector: pool=workers}
`;
const CA_HASH = `sha256:${"ab".repeat(32)}`;
const TRANSFER = `[Source]
Type=url-file
Path=https://example.org/kubernetes/
MatchPattern=kubernetes-v1.33.@v-%a.raw
[Target]
Path=/opt/extensions/kubernetes
CurrentSymlink=/etc/extensions/kubernetes.raw
`;
const IMAGE = "/opt/extensions/kubernetes/kubernetes-v1.33.2-x86-64.raw";
const CONFIG = {
  ignition: { version: "3.4.0", config: { merge: [{ source: "data:,{}" }] } },
  storage: {
    files: [
      { path: "/etc/ashlar/extensions.yaml", contents: { source: `data:,${encodeURIComponent("extensions: []")}` } },
      { path: IMAGE, contents: { source: "https://example.org/x" } },
    ],
    links: [{ path: "/etc/extensions/kubernetes.raw", target: IMAGE }],
  },
};

const STATUS: ExtensionsStatus = {
  schema: "ashlar.extensions/v1",
  bootId: "boot",
  phase: "fetching",
  target: { name: "kubernetes", version: "v1.33.5" },
  progress: { totalBytes: 3, copiedBytes: 2, fetchedBytes: 1 },
  merged: [{ kind: "sysext", name: "kubernetes", version: "v1.33.2", rootHash: "ab".repeat(32), until: null }],
  setAside: [{ name: "x", version: null, reason: "no signature" }],
  missing: [{ name: "zfs", reason: "not fetched" }],
  lastError: { code: "failed", message: "no", hint: "wait" },
  failures: [{ name: "kubernetes", version: "v1.33.4", at: "2026-01-02T03:04:05Z", check: "kubelet", message: "" }],
};

export const DECLARATION_TARGETS: readonly Target[] = [
  {
    name: "boot-file",
    seeds: [seeds.text("# how nodes start\nsecureBoot: required\n")],
    parse: (bytes) => declaration.parseBootFile(Buffer.from(bytes).toString("utf8")),
  },
  {
    name: "extensions-file",
    seeds: [seeds.text(FILE)],
    parse: (bytes) => declaration.parseExtensionsFile(toText(bytes)),
  },
  { name: "fleet-file", seeds: [seeds.text(FLEET)], parse: (bytes) => parseFleet(toText(bytes)) },
  {
    name: "fleet-certificate",
    seeds: [fleetCertificate(), nodeCertificate()].map((text) => seeds.text(text)),
    // Without a key: what only a signer can write has to be read safely, too.
    parse: (bytes) => checkCertificate(parseCertificate(toText(bytes)), { nowMs: 0 }),
  },
  {
    name: "history-proof",
    seeds: [seeds.text(historyProof())],
    parse: (bytes) => {
      const text = toText(bytes);
      readCosignatures(text.slice(text.indexOf("\n\n") + 2), [HISTORY_WITNESS]);
      return parseEntry(checkInclusionProof(text, HISTORY_KEY).entry);
    },
  },
  { name: "history-entry", seeds: [seeds.text(historyEntry())], parse: (bytes) => parseEntry(bytes) },
  {
    name: "history-bundle",
    seeds: [Buffer.concat([Buffer.of(0, 1), Buffer.from("a"), Buffer.of(0, 2), Buffer.from("bc")])],
    parse: (bytes) => parseBundle(Buffer.from(bytes), 2),
  },
  {
    name: "history-key",
    seeds: [seeds.text(formatNoteKey(HISTORY_KEY))],
    parse: (bytes) => parseNoteKey(toText(bytes)),
  },
  {
    name: "cluster-unit",
    seeds: [
      seeds.text(
        `[Service]\nExecStart=/usr/bin/kubeadm join a.example:6443 --discovery-token-ca-cert-hash ${CA_HASH}\n`,
      ),
    ],
    parse: (bytes) =>
      declaration.declaredCluster([{ path: "/etc/systemd/system/join.service", text: toText(bytes) }], undefined),
  },
  {
    name: "cluster-file",
    seeds: [seeds.text(`server: a.example:6443\ncaHashes: ["${CA_HASH}"]\n`)],
    parse: (bytes) => declaration.declaredCluster([], toText(bytes)),
  },
  {
    name: "transfer-file",
    seeds: [seeds.text(TRANSFER)],
    parse: (bytes) => declaration.parseTransferFile(toText(bytes)),
  },
  {
    name: "extensions-status",
    seeds: [seeds.text(JSON.stringify(STATUS))],
    parse: (bytes) => parseExtensionsStatus(toText(bytes)),
  },
  {
    name: "declared-in-configs",
    seeds: [seeds.text(JSON.stringify(CONFIG)), ...seeds.ignitionConfigs()],
    parse: (bytes) => declaration.declaredInConfigs(bytes, new Uint8Array()),
  },
];

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}
