import { X509Certificate } from "node:crypto";
import * as butane from "@ashlar/butane";
import * as formats from "@ashlar/formats";
import { findUnpinnedSources } from "@ashlar/declaration";
import * as identity from "@ashlar/identity";
import { nameError, parseDnsQuery } from "@ashlar/lab/dns-message";
import * as protocol from "@ashlar/protocol";
import * as answers from "@ashlar/protocol/answers";
import { judgeQuery } from "@ashlar/operator/gate-answers";
import * as verifier from "@ashlar/verifier";
import { parseBlocksIndex } from "@ashlar/repository-index";
import { AUDIT_TARGETS } from "./audit-targets.ts";
import { INVENTORY_TARGETS } from "./inventory-targets.ts";
import { DECLARATION_TARGETS } from "./declaration-targets.ts";
import { judgeCase } from "./evidence/judge-case.ts";
import { EXTENSION_TARGETS } from "./extension-targets.ts";
import { RELEASE_TARGETS } from "./release-targets.ts";
import { readEvidenceArchive } from "./evidence-archive.ts";
import * as seeds from "./seeds.ts";
import type { Target } from "./target.ts";
import { UPDATE_TARGETS } from "./update-targets.ts";

const quotes = (...names: readonly string[]): Uint8Array[] => names.map((name) => seeds.vector(`tpm/quotes/${name}`));
const logs = (name: string): Uint8Array[] =>
  ["no-secure-boot", "secure-boot"].map((kind) => seeds.vector(`tpm/firmware-log-${kind}/${name}`));
const ecc = formats.parsePublic(seeds.vector("tpm/quotes/ak_ecc.pub"));
const rsa = formats.parsePublic(seeds.vector("tpm/quotes/ak_rsa.pub"));
const secureBootCertificate = new X509Certificate(seeds.vector("pe/secure-boot.crt"));
/** What `ashlar machine check` is told. */
const MACHINE_ANSWER = [
  "ashlar-machine 1",
  "user 0",
  "uefi yes",
  "secure-boot base64:BgAAAAE=",
  "tpm-version 2",
  "bank sha256",
  `pcr-sha256-0 ${"0".repeat(64)}`,
  `firmware-log base64:${Buffer.from(logs("binary_bios_measurements")[0] ?? []).toString("base64")}`,
  "tpm-device yes",
  "nv-0:2 base64:MIIA",
  "",
].join("\n");
const NO_EVENTS = { events: [] };

/** A parser of text sees what a decoder makes of the bytes. */
const ofText =
  (parse: (text: string) => unknown) =>
  (bytes: Uint8Array): unknown =>
    parse(Buffer.from(bytes).toString("utf8"));

/** Asks for all that is asked of an image: owners of blocks, names, and content. */
function readErofs(bytes: Uint8Array): unknown {
  const image = formats.openErofs((offset, size) => bytes.subarray(offset, offset + size), bytes.length);
  const { owners } = formats.findBlockOwners(image, [0, 1, 5, 20]);
  for (const { nid } of formats.listErofs(image).entries.slice(0, 12)) {
    formats.readErofsContent(image, formats.readErofsInode(image, nid), () => undefined);
  }
  return owners;
}

export const TARGETS: readonly Target[] = [
  { name: "tpm-attest", seeds: quotes("quote_ecc.msg", "quote_rsa.msg"), parse: formats.parseAttest },
  {
    name: "tpm-public",
    seeds: quotes("ak_ecc.pub", "ak_rsa.pub", "ek.pub", "ekecc.pub"),
    parse: (bytes) => {
      const found = formats.parsePublic(bytes);
      return [formats.nameOf(found), formats.keyObjectOf(found)];
    },
  },
  {
    name: "tpm-signature",
    seeds: quotes("quote_ecc.sig", "quote_rsa.sig"),
    parse: (bytes) => [formats.parseSignature(bytes), formats.verifyQuoteSignature(ecc, bytes, bytes)],
  },
  {
    name: "tpm-signature-rsa",
    seeds: quotes("quote_rsa.sig"),
    parse: (bytes) => formats.verifyQuoteSignature(rsa, bytes, bytes),
  },
  { name: "tpm-credential", seeds: quotes("cred.bin"), parse: formats.parseCredentialFile },
  {
    name: "firmware-log",
    seeds: logs("binary_bios_measurements"),
    parse: (bytes) => formats.replayPcrs(formats.parseFirmwareLog(bytes), NO_EVENTS, "sha256"),
  },
  {
    name: "firmware-explained",
    seeds: logs("binary_bios_measurements"),
    parse: (bytes) => [identity.explainFirmware(bytes), formats.withoutEventData(bytes)],
  },
  {
    name: "machine-answer",
    seeds: [Buffer.from(MACHINE_ANSWER)],
    parse: ofText((text) => verifier.judgeMachine(verifier.parseMachineFacts(text), undefined, new Date(0))),
  },
  { name: "userspace-log", seeds: logs("tpm2-measure.log"), parse: formats.parseUserspaceLog },
  { name: "gpt", seeds: [seeds.gptEnds()], parse: seeds.parseGptEnds },
  {
    name: "uki",
    seeds: [seeds.vector("pe/two-sections.efi")],
    parse: (bytes) => [formats.authenticodeDigest(bytes, "sha256"), formats.ukiSections(bytes)],
  },
  {
    name: "signed-program",
    seeds: [seeds.vector("pe/two-sections.signed.efi")],
    parse: (bytes) => formats.verifyPe(bytes, [secureBootCertificate]),
  },
  {
    name: "secure-boot-variable",
    seeds: logs("binary_bios_measurements").flatMap(seeds.variablesIn),
    parse: (bytes) => formats.parseSignatureLists(formats.parseMeasuredVariable(bytes).content),
  },
  {
    name: "verity-superblock",
    seeds: [seeds.veritySuperblock()],
    parse: (bytes) => formats.verityLayout(formats.parseVeritySuperblock(bytes)),
  },
  {
    name: "erofs",
    seeds: ["clusters-64k", "inline-tails", "fragments-dedupe"].map((name) => seeds.vector(`erofs/${name}.erofs`)),
    parse: readErofs,
  },
  { name: "usr-blocks", seeds: [seeds.blocksIndex()], parse: parseBlocksIndex },
  { name: "manifest", seeds: [seeds.manifestText()], parse: ofText(answers.parseManifest) },
  { name: "evidence-archive", seeds: [seeds.evidenceArchive()], parse: readEvidenceArchive },
  { name: "evidence", seeds: [seeds.evidenceText()], parse: ofText(answers.parseEvidence) },
  { name: "keys", seeds: [seeds.keysText()], parse: ofText(answers.parseKeys) },
  {
    name: "evidence-request",
    seeds: [seeds.text(JSON.stringify({ nonce: Buffer.alloc(32).toString("base64") }))],
    parse: ofText(protocol.parseEvidenceRequest),
  },
  {
    name: "activate-request",
    seeds: [seeds.text('{"credentialBlob":"AAAAAAAA","encryptedSecret":"AAAAAAAA"}')],
    parse: ofText(protocol.parseActivateRequest),
  },
  {
    name: "key-template",
    seeds: quotes("ak_rsa.pub", "ak_ecc.pub").map((tpm2b) => tpm2b.subarray(2)),
    parse: (bytes) => formats.parseKeyTemplate(bytes),
  },
  {
    name: "ek-certificate",
    seeds: quotes("ek_rsa_cert.der", "ek_ecc_cert.der"),
    parse: (bytes) => identity.parseCertificate(bytes, "EK certificate"),
  },
  {
    name: "certificate-fields",
    seeds: quotes("ek_rsa_cert.der", "ek_ecc_cert.der"),
    parse: (bytes) => {
      const { extensions, publicKeyInfo } = formats.parseCertificateFields(bytes);
      return [
        formats.basicConstraintsOf(extensions),
        formats.keyUsageOf(extensions),
        formats.extendedKeyUsageOf(extensions),
        formats.directoryNamesOf(extensions),
        formats.issuerUrlsOf(extensions),
        formats.certificateKeyOf(publicKeyInfo),
      ];
    },
  },
  {
    name: "certificate-file",
    seeds: quotes("ek_rsa_cert.der", "issuercert.pem"),
    parse: (bytes) => formats.certificatesInFile(bytes, "file"),
  },
  {
    name: "ek-roots",
    seeds: quotes("swtpm-localca-rootca-cert.pem", "issuercert.pem"),
    parse: ofText(identity.parseEkRoots),
  },
  {
    name: "prometheus-answer",
    seeds: ['{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1.5,"0.01"]}]}}'].map(
      (text) => Buffer.from(text),
    ),
    parse: ofText((body) => judgeQuery({ status: 200, body }, "<=", "0.01")),
  },
  { name: "butane", seeds: seeds.butaneConfigs(), parse: ofText(butane.translate) },
  { name: "ignition", seeds: seeds.ignitionConfigs(), parse: ofText(butane.validateIgnition) },
  {
    name: "ignition-sources",
    seeds: seeds.ignitionConfigs(),
    parse: (bytes) => findUnpinnedSources(bytes, "config"),
  },
  {
    // For 0.debian, type A, class IN, with an OPT record.
    name: "dns-query",
    seeds: [Buffer.from("beef0120000100000000000101300664656269616e00000100010000290200000080000000", "hex")],
    parse: (bytes) => nameError(parseDnsQuery(Buffer.from(bytes))),
  },
  ...AUDIT_TARGETS,
  ...INVENTORY_TARGETS,
  ...DECLARATION_TARGETS,
  ...UPDATE_TARGETS,
  ...RELEASE_TARGETS,
  ...EXTENSION_TARGETS,
  {
    name: "evidence-structure",
    seeds: [Buffer.alloc(4)],
    generate: (random) => Uint8Array.from({ length: 4 }, () => random(256)),
    parse: judgeCase,
  },
];
