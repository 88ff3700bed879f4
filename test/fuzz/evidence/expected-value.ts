/**
 * What a proven node must be, found without the verifier: from the digests alone that its TPM has extended, by a table of
 * all words that have a meaning. No text of a log is read.
 */
import assert from "node:assert/strict";
import { BOOT_PHASES, expectedPcr11, parseFirmwareLog, parseUserspaceLog, sha256, ZERO_PCR } from "@ashlar/formats";
import { canonicalJson } from "@ashlar/base";
import type { NamedVerdict } from "@ashlar/identity";
import type { Evidence, KnownRelease } from "@ashlar/protocol/answers";
import { EXTENSIONS, RELEASE, type HonestNode } from "./honest-fleet.ts";

type Merged = { readonly kind: string; readonly name: string; readonly rootHash: string };

const MERGES: ReadonlyMap<string, Merged> = new Map(
  EXTENSIONS.map(({ kind, name, image }) => {
    return [sha256(`${kind}:${name}:${image.rootHash}`), { kind, name, rootHash: image.rootHash }];
  }),
);
const REMOVALS: ReadonlyMap<string, string> = new Map(
  EXTENSIONS.map(({ kind, name }) => [sha256(`${kind}:${name}:removed`), name]),
);

/** @throws AssertionError when a proven verdict says another thing than was measured */
export function assertHonest(verdict: NamedVerdict, evidence: Evidence, node: HonestNode, release: KnownRelease): void {
  const { classConfigSha256, nodeConfigSha256 } = node.expectations;
  const digests = digestsOf(evidence);
  const [first, second, ...words] = digests(13);
  assert.equal(first, sha256(`ashlar-config-class:sha256:${classConfigSha256}`), "class config");
  assert.equal(second, sha256(`ashlar-config-node:sha256:${nodeConfigSha256}`), "node config");
  const merged = new Map<string, Merged>();
  for (const digest of words) {
    const [merge, removal] = [MERGES.get(digest), REMOVALS.get(digest)];
    assert.ok(merge !== undefined || removal !== undefined, `PCR 13: a word without meaning, ${digest}`);
    if (merge !== undefined) merged.set(merge.name, merge);
    if (removal !== undefined) merged.delete(removal);
  }
  const extensions = [...merged.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  assert.equal(evidence.pcrs.sha256?.get(11), expectedPcr11(RELEASE.uki.sections, BOOT_PHASES), "PCR 11");
  const programs = [RELEASE.bootLoader.authenticode, RELEASE.uki.authenticode, RELEASE.uki.linuxAuthenticode];
  assert.deepEqual(digests(4).slice(-3), programs, "PCR 4");
  for (const pcr of [8, 12, 14]) assert.equal(evidence.pcrs.sha256?.get(pcr), ZERO_PCR, `PCR ${pcr}`);
  for (const pcr of [0, 2, 3, 7] as const) assert.equal(evidence.pcrs.sha256?.get(pcr), node.input.pin.firmware[pcr]);
  const value = {
    classConfig: classConfigSha256,
    extensions,
    release: RELEASE.version,
    uki: RELEASE.uki.authenticode,
    usr: RELEASE.usr.rootHash,
  };
  assert.deepEqual(
    {
      name: verdict.name,
      release: verdict.release,
      identity: verdict.identity,
      config: verdict.config,
      nodeConfig: verdict.nodeConfig,
      extensions: verdict.extensions.map(({ kind, name, rootHash }) => ({ kind, name, rootHash })),
    },
    {
      name: node.name,
      release: release.version,
      identity: sha256(canonicalJson(value)),
      config: classConfigSha256,
      nodeConfig: nodeConfigSha256,
      extensions,
    },
  );
}

function digestsOf({ firmwareLog, userspaceLog }: Evidence): (pcr: number) => string[] {
  const events = [...parseFirmwareLog(firmwareLog).events, ...parseUserspaceLog(userspaceLog).events];
  return (wanted) =>
    events.filter(({ pcr }) => pcr === wanted).map(({ digests }) => Buffer.from(digests.sha256 ?? []).toString("hex"));
}
