/**
 * What a node says about its extensions, and what it takes orders in. As with `update-api.ts`: reading needs no
 * authority, changing needs an operator's signature, and this file needs no schema library.
 *
 *     GET  /v1/extensions          -> ExtensionsStatus
 *     POST /v1/extensions/update   ComponentRequest -> ExtensionsStatus (202: it has begun; follow it with GET)
 *     POST /v1/extensions/debug    DebugRequest     -> ExtensionsStatus (202)
 */
import type { ExtensionKind } from "../manifests/extension-manifest.ts";
import type { HealthCheck, UpdateProgress } from "./update-api.ts";

export const EXTENSIONS_STATUS_SCHEMA = "ashlar.extensions/v1";

/** Takes a component to another version without a reboot. */
export type ComponentRequest = {
  readonly component: string;
  /** A version, for example v1.33.5; without it the newest that the declared pattern allows. */
  readonly to?: string;
  readonly allowDowngrade?: boolean;
  /** Also a version that has failed on this node before. */
  readonly retry?: boolean;
};

/** Merges an undeclared extension for a while; with 0 seconds it is removed now. */
export type DebugRequest = { readonly extension: string; readonly seconds: number };

export const MAX_DEBUG_SECONDS: number = 24 * 60 * 60;

/**
 * - `idle`: nothing goes on.
 * - `checking`: reading the repository's metadata.
 * - `fetching`: collecting the image's blocks.
 * - `installing`: systemd-sysupdate puts it into place.
 * - `merging`: it is verified, measured and merged.
 * - `checking-health`: its units are restarted, its health check runs.
 * - `reverting`: back to the former version.
 */
export const EXTENSION_PHASES = [
  "idle",
  "checking",
  "fetching",
  "installing",
  "merging",
  "checking-health",
  "reverting",
] as const;
export type ExtensionPhase = (typeof EXTENSION_PHASES)[number];

export type ExtensionsStatus = {
  readonly schema: typeof EXTENSIONS_STATUS_SCHEMA;
  readonly bootId: string;
  readonly phase: ExtensionPhase;
  /** The component and version that the phase is about; null when idle. */
  readonly target: { readonly name: string; readonly version: string | null } | null;
  readonly progress: UpdateProgress | null;
  /** Sorted by kind, then name. */
  readonly merged: readonly MergedExtension[];
  /** Images that were found and not merged. */
  readonly setAside: readonly { readonly name: string; readonly version: string | null; readonly reason: string }[];
  /** Declared, but no acceptable image of them is on the node. */
  readonly missing: readonly { readonly name: string; readonly reason: string }[];
  readonly lastError: { readonly code: string; readonly message: string; readonly hint?: string } | null;
  /** Versions that were tried here and given up, the newest first. At most 16. */
  readonly failures: readonly ComponentFailure[];
};

export type MergedExtension = {
  readonly kind: ExtensionKind;
  readonly name: string;
  /** As its extension-release file says. */
  readonly version: string;
  readonly rootHash: string;
  /** RFC 3339: when a debug session ends; null for a declared extension. */
  readonly until: string | null;
};

export type ComponentFailure = {
  readonly name: string;
  readonly version: string;
  /** RFC 3339, by the node's clock. */
  readonly at: string;
  readonly check: HealthCheck["name"];
  readonly message: string;
};

export const MAX_EXTENSIONS_STATUS_BYTES: number = 128 * 1024;

/** A node merges at most this many; measuring each takes time at every boot. */
export const MAX_EXTENSIONS = 64;
