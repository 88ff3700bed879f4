/** What nodes say about updates, and names from their boot partition. */
import * as formats from "@ashlar/formats";
import { judgeNextBoot } from "@ashlar/identity";
import { generateKeyPairSync } from "node:crypto";
import {
  NEXT_BOOT_SCHEMA,
  openSignedOrder,
  operatorPin,
  type NextBootEvidence,
  type NextBootReport,
  parseOrderNonce,
  signOrder,
  type UpdateStatus,
} from "@ashlar/protocol";
import * as answers from "@ashlar/protocol/answers";
import * as seeds from "./seeds.ts";
import type { Target } from "./target.ts";

const DIGEST = "ab".repeat(32);
const UUID = "abababab-abab-abab-abab-abababababab";

const STATUS: UpdateStatus = {
  schema: "ashlar.update-status/v1",
  version: "1.0.0",
  bootId: UUID,
  trial: true,
  phase: "fetching",
  target: "1.1.0",
  progress: { totalBytes: 3, copiedBytes: 2, fetchedBytes: 1 },
  staged: null,
  rebootNeeded: false,
  minimumVersion: "1.0.0",
  lastError: { code: "failed", message: "no", hint: "wait" },
  health: { healthy: true, checks: [{ name: "agent", passed: true, durationMs: 1, message: "" }] },
  bootLoader: {
    copies: [{ path: "EFI/BOOT/BOOTX64.EFI", sha256: DIGEST, release: null }],
    problem: { code: "limit", message: "full", hint: "wait" },
  },
  ownStatePartition: true,
  failures: [{ version: "1.1.0", bootId: UUID, at: "2026-01-02T03:04:05Z", check: "panic", message: "" }],
};

const REPORT: NextBootReport = {
  espFiles: [
    { path: "EFI/Linux/ashlar_1.0.0+3-0.efi", sizeBytes: 1, sha256: DIGEST },
    { path: "loader/loader.conf", sizeBytes: 1, sha256: DIGEST },
  ],
  loaderConfig: formats.LOADER_CONFIG,
  loaderVariables: { LoaderEntryDefault: "x" },
  slots: [
    {
      label: "ashlar_1.0.0",
      dataPartitionUuid: UUID,
      hashPartitionUuid: UUID,
      rootHash: DIGEST,
      badBlocks: 0,
      readAt: "2026-01-02T03:04:05Z",
    },
  ],
};

const EVIDENCE: NextBootEvidence = {
  schema: NEXT_BOOT_SCHEMA,
  report: JSON.stringify(REPORT),
  quote: { message: "AAAA", signature: "AAAA" },
};

const RELEASE = answers.parseManifest(Buffer.from(seeds.manifestText()).toString("utf8"));

const OPERATOR = generateKeyPairSync("ec", { namedCurve: "P-256" });
const NONCE = { schema: "ashlar.order-nonce/v1", nonce: "n".repeat(43), bootId: UUID };
const ORDER = { machineId: "ab".repeat(16), bootId: UUID, nonce: NONCE.nonce, path: "/v1/update", request: "{}" };

export const UPDATE_TARGETS: readonly Target[] = [
  {
    name: "update-status",
    seeds: [seeds.text(JSON.stringify(STATUS))],
    parse: (bytes) => answers.parseUpdateStatus(toText(bytes)),
  },
  {
    name: "next-boot",
    seeds: [seeds.text(JSON.stringify(EVIDENCE))],
    parse: (bytes) => answers.parseNextBoot(toText(bytes)),
  },
  {
    name: "next-boot-report",
    seeds: [seeds.text(JSON.stringify(REPORT))],
    parse: (bytes) =>
      judgeNextBoot(answers.parseNextBootReport(toText(bytes)), { releases: [RELEASE], running: RELEASE }),
  },
  {
    name: "known-release",
    seeds: [seeds.manifestText()],
    parse: (bytes) => answers.parseKnownRelease(toText(bytes)),
  },
  {
    name: "signed-order",
    seeds: [seeds.text(signOrder(ORDER, OPERATOR.privateKey)), seeds.text('{"to":"1.1.0"}')],
    parse: (bytes) => openSignedOrder(toText(bytes), [operatorPin(OPERATOR.publicKey)]),
  },
  { name: "order-nonce", seeds: [seeds.text(JSON.stringify(NONCE))], parse: (bytes) => parseOrderNonce(toText(bytes)) },
  {
    name: "boot-entries",
    seeds: [seeds.text("ashlar_1.0.0.efi\nashlar_1.1.0+2-1.efi\nashlar_1.2.0~rc1+0-3.efi")],
    parse: (bytes) => {
      const names = toText(bytes).split("\n", 64);
      const entries = names.flatMap((name) => formats.ashlarEntry(name) ?? []);
      return [formats.chooseBootEntry(entries), names.map((name) => formats.renamesToBoot(name, names))];
    },
  },
];

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}
