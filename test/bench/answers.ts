/** 10,000 certified nodes of five identities, with manifests as large as a real release's, to be asked and explained. */
import { createHash, generateKeyPairSync, randomBytes, type KeyObject } from "node:crypto";
import { checkCertificate, makeCertificate, parseCertificate, type Running } from "@ashlar/fleet";
import { signerOf } from "@ashlar/statements";
import { nodeIdentity } from "@ashlar/identity";
import { askNodes, explainNodes, parsePackageQuestion, type KnownNode, type Manifests } from "@ashlar/inventory";
import { parseManifest, type ReleaseManifest } from "@ashlar/protocol/answers";
import { testRelease } from "@ashlar/protocol/test-fixtures";
import { NODES } from "./certificate.ts";

const IDENTITIES = 5;
/** As in the demo's image. */
const [PACKAGES, FILES] = [211, 3984];
const HOUR_MS = 3_600_000;
const CONFIG = "c".repeat(64);

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Every tenth file and every twentieth package is another one in each release. */
function release(index: number): ReleaseManifest {
  const of = (item: number, every: number): number => (item % every === 0 ? index : 0);
  const files = Array.from({ length: FILES }, (_, item) => {
    const path = `/usr/lib/x86_64-linux-gnu/some-package/file-${item}.so`;
    return { type: "file", path, sizeBytes: 4096, sha256: digest(`${item} ${of(item, 10)}`) } as const;
  });
  const packages = Array.from({ length: PACKAGES }, (_, item) => {
    const version = `1.${of(item, 20)}-1~deb13u1`;
    return { name: `package-${item}`, version, architecture: "amd64", source: { name: `source-${item}`, version } };
  });
  return { ...testRelease(`1.${index}.0`, String(index), files), packages };
}

type Answers = { readonly whichMs: number; readonly explainMs: number };

/** What is on the disk: the certificate and the manifests, as text. */
type StoredAnswers = {
  readonly certificate: string;
  readonly manifests: readonly string[];
  readonly publicKey: KeyObject;
};

export function storeNodes(): StoredAnswers {
  const key = generateKeyPairSync("ed25519");
  const releases = Array.from({ length: IDENTITIES }, (_, index) => release(index));
  const running = releases.map((each): Running => {
    return { identity: nodeIdentity(each, CONFIG, []), release: each.version, config: CONFIG, extensions: [] };
  });
  const nodes = Array.from({ length: NODES }, (_, index) => {
    const own = running[index % IDENTITIES];
    if (own === undefined) throw new TypeError("there is one for each remainder");
    const name = `node-${index}.rack-${index % 40}.example.org`;
    const isWrong = index % 3333 === 1;
    return {
      name,
      level: isWrong ? "mismatch" : "proven",
      nextBoot: "proven",
      running: own,
      policy: 0,
      challengedAt: null,
      evidence: null,
      differences: [],
    } as const;
  });
  const policy = { ekRoots: null, cloudRoots: null, acceptExpiredEk: false, vouchedBy: null, firmwarePolicy: null };
  const input = {
    nodes,
    verdict: "mismatch",
    fleet: null,
    policies: [{ ...policy, maxAgeSeconds: 86_400 }],
    challenge: null,
    verifier: "ashlar",
    issuedAtMs: Date.now(),
    validForMs: HOUR_MS,
  } as const;
  const certificate = makeCertificate(input, signerOf(key), () => randomBytes(16));
  return { certificate, manifests: releases.map((each) => JSON.stringify(each)), publicKey: key.publicKey };
}

/** From texts to answers, in processor time: other programs on the machine do not count. */
export function measureAnswers(stored: StoredAnswers): Answers {
  const started = process.cpuUsage();
  const { nodes, manifests } = read(stored);
  const loaded = process.cpuUsage();
  const answers = askNodes(parsePackageQuestion("source-20 < 1.2"), nodes, manifests);
  const asked = process.cpuUsage();
  const { groups } = explainNodes(nodes, { manifests, configs: [] });
  const explained = process.cpuUsage();
  const has = answers.filter(({ answer }) => answer === "has").length;
  const files = groups[1]?.differences?.release?.contents?.files.changed.length;
  // Two of five releases have an older version; three nodes are not proven, one of them of those.
  if (has !== 3999 || files === undefined || files === 0) throw new Error(`found ${has} nodes, ${files} files`);
  const loadMs = millisecondsOf(loaded) - millisecondsOf(started);
  return {
    whichMs: loadMs + millisecondsOf(asked) - millisecondsOf(loaded),
    explainMs: loadMs + millisecondsOf(explained) - millisecondsOf(asked),
  };
}

function read({ certificate, manifests, publicKey }: StoredAnswers): {
  readonly nodes: readonly KnownNode[];
  readonly manifests: Manifests;
} {
  const parsed = parseCertificate(certificate);
  const { refusals } = checkCertificate(parsed, { publicKey, nowMs: Date.now() });
  if (refusals.length > 0 || parsed.kind !== "fleet") throw new Error(JSON.stringify(refusals));
  const nodes = parsed.nodes.flatMap(({ name, level, runs }): KnownNode[] => {
    const running = parsed.running.get(runs);
    return running === undefined ? [] : [{ name, level, running }];
  });
  return { nodes, manifests: { releases: manifests.map(parseManifest), extensions: [] } };
}

function millisecondsOf({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1000;
}
