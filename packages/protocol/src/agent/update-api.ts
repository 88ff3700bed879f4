/**
 * What a node says about updates, and what it takes orders in: JSON over the agent's HTTPS server, and over the updater's
 * own Unix socket on the node. Like `agent-api.ts` this file needs no schema library, so that a node loads none.
 *
 * Reading needs no authority. Changing needs the signature of an operator whom the node's `update.yaml` names: see
 * `signed-order.ts`. Only root of the node sends the bare request.
 *
 *     GET  /v1/update      -> UpdateStatus
 *     POST /v1/update      UpdateRequest   -> UpdateStatus (202: it has begun; follow it with GET)
 *     POST /v1/rollback    {}              -> UpdateStatus: the other slot's release boots next
 *     POST /v1/reboot      {}              -> UpdateStatus: the node reboots now
 *     POST /v1/next-boot   NextBootRequest -> NextBootEvidence
 */

import type { KeyVariable } from "@ashlar/formats";
import type { NEXT_BOOT_SCHEMA } from "./qualifying-data.ts";

export const UPDATE_STATUS_SCHEMA = "ashlar.update-status/v1";

/** What an operator asks for. Neither `to` nor `channel`: the node's own channel. */
export type UpdateRequest = {
  /** A version, for example 1.1.0. */
  readonly to?: string;
  readonly channel?: string;
  /** An older version than the running one is wanted. Below the channel's minimum version never. */
  readonly allowDowngrade?: boolean;
  /** Also a release that has failed on this node before. */
  readonly retry?: boolean;
};

/**
 * - `idle`: nothing goes on.
 * - `checking`: reading the repository's metadata.
 * - `fetching`: collecting blocks, from the slots and from the repository.
 * - `installing`: systemd-sysupdate writes the inactive slot and the boot entry.
 * - `checking-slots`: reading back what was written.
 */
export const UPDATE_PHASES = ["idle", "checking", "fetching", "installing", "checking-slots"] as const;
export type UpdatePhase = (typeof UPDATE_PHASES)[number];

export type UpdateStatus = {
  readonly schema: typeof UPDATE_STATUS_SCHEMA;
  /** Of the running system. */
  readonly version: string;
  readonly bootId: string;
  /** The running release has not been found healthy yet: systemd-boot still counts its tries. */
  readonly trial: boolean;
  readonly phase: UpdatePhase;
  /** The version that the phase is about; null when idle. */
  readonly target: string | null;
  readonly progress: UpdateProgress | null;
  /** A version that is installed and boots next, but does not run; null otherwise. */
  readonly staged: string | null;
  readonly rebootNeeded: boolean;
  /** The oldest version that this node's channel has allowed, as far as it has seen; null: any. */
  readonly minimumVersion: string | null;
  /** Why the last order was not carried out; null after a success. */
  readonly lastError: { readonly code: string; readonly message: string; readonly hint?: string } | null;
  /** What the health checks of this boot have found; null before they ran. */
  readonly health: HealthReport | null;
  /** systemd-boot on the ESP; null from a node of a version that left it as it was. */
  readonly bootLoader: BootLoaderStatus | null;
  /**
   * Whether what updates, proofs and reports need has a partition of its own, which workloads cannot fill; false from a
   * node of a version that had none.
   */
  readonly ownStatePartition: boolean;
  /** Releases that were tried here and given up, the newest first. At most 16. */
  readonly failures: readonly ReleaseFailure[];
};

/** Where systemd-boot is on the ESP: the copy that firmware starts by itself (UEFI specification 2.10, section 3.5), and a second one. */
export const BOOT_LOADER_PATHS = ["EFI/BOOT/BOOTX64.EFI", "EFI/systemd/systemd-bootx64.efi"] as const;

/** Where systemd-boot finds the keys for Secure Boot that it enrols by itself on the ESP (loader.conf(5), `secure-boot-enroll`). */
export const ENROLMENT_PATHS: Readonly<Record<KeyVariable, string>> = {
  PK: "loader/keys/auto/PK.auth",
  KEK: "loader/keys/auto/KEK.auth",
  db: "loader/keys/auto/db.auth",
};

/** Where a release has its own systemd-boot, from the root: the manifest's digest is of this file. */
export const BOOT_LOADER_SOURCE = "usr/lib/systemd/boot/efi/systemd-bootx64.efi";

/** The name under which a copy is written, in the same directory, until all of it is there. */
export function unfinishedLoader(path: string): string {
  return path.replace(/[^/]*$/u, ".loader.new");
}

/** A release's systemd-boot replaces an older one only after the release was found healthy. */
export type BootLoaderStatus = {
  /** The one that firmware starts, then the second one. */
  readonly copies: readonly BootLoaderCopy[];
  /** Why the running release's was not put in place in this boot; null when it was, or need not be. */
  readonly problem: { readonly code: string; readonly message: string; readonly hint?: string } | null;
};

export type BootLoaderCopy = {
  /** From the ESP's root. */
  readonly path: string;
  /** Null when there is no such file. */
  readonly sha256: string | null;
  /** Whose it is, when this node knows it; null otherwise. */
  readonly release: string | null;
};

export type UpdateProgress = {
  /** Of /usr and its hash tree. */
  readonly totalBytes: number;
  /** Found on this node: in a slot, or left by an earlier try. */
  readonly copiedBytes: number;
  /** Received from the repository, as they came over the network. */
  readonly fetchedBytes: number;
};

export type HealthReport = { readonly healthy: boolean; readonly checks: readonly HealthCheck[] };

export type HealthCheck = {
  readonly name: string;
  readonly passed: boolean;
  readonly durationMs: number;
  /** What went wrong, with the last lines that the check printed; empty when it passed. At most 2,000 characters. */
  readonly message: string;
};

/** One try of a release that did not end healthy. */
export type ReleaseFailure = {
  readonly version: string;
  /** Of the boot that failed; null when that boot left no trace. */
  readonly bootId: string | null;
  /** RFC 3339, by the node's clock. */
  readonly at: string;
  /** The failing health checks, `panic`, `rollback` when an operator went back, or `unknown` when no check spoke. */
  readonly check: string;
  readonly message: string;
};

export type NextBootRequest = {
  /** In base64, of as many bytes as for evidence. */
  readonly nonce: string;
};

/**
 * Software that was measured makes the report, and the TPM binds it to this boot and this question: the quote's extraData
 * is what `nextBootQualifyingData` says.
 */
export type NextBootEvidence = {
  readonly schema: typeof NEXT_BOOT_SCHEMA;
  /** The exact JSON text of a {@link NextBootReport}. */
  readonly report: string;
  /** TPMS_ATTEST and TPMT_SIGNATURE in base64. */
  readonly quote: { readonly message: string; readonly signature: string };
};

export type NextBootReport = {
  /** Every file below EFI/Linux, EFI/BOOT, EFI/systemd and loader on the ESP, with the path from the ESP's root. */
  readonly espFiles: readonly { readonly path: string; readonly sizeBytes: number; readonly sha256: string }[];
  /** The text of loader/loader.conf; empty when there is none. */
  readonly loaderConfig: string;
  /**
   * EFI variables that change what starts, or are as good as words of the command line: LoaderEntryDefault, BootNext,
   * SystemdOptions and the like. A sound node has none.
   */
  readonly loaderVariables: Readonly<Record<string, string>>;
  readonly slots: readonly SlotReport[];
};

export type SlotReport = {
  /** GPT partition name, for example ashlar_1.1.0 or _empty. */
  readonly label: string;
  /** GPT partition UUIDs of the data and of the hash partition, in lower case. */
  readonly dataPartitionUuid: string;
  readonly hashPartitionUuid: string;
  /** The root hash that the hash tree on the disk has, in hexadecimal; null when there is no tree. */
  readonly rootHash: string | null;
  /** How many blocks do not match the tree; null when they have not been read since they were written. */
  readonly badBlocks: number | null;
  /** RFC 3339: when every block was last read; null when never. */
  readonly readAt: string | null;
};

/** Largest answers that anybody reads. */
export const MAX_UPDATE_STATUS_BYTES: number = 128 * 1024;
export const MAX_NEXT_BOOT_BYTES: number = 256 * 1024;

/** ESP files and slots that a report names at most; more of them make it a mismatch. */
export const MAX_ESP_FILES = 256;
export const MAX_SLOTS = 8;
