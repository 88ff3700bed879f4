import { AshlarError } from "@ashlar/base";
import {
  type ExtensionEntry,
  type ErofsImage,
  type ReadBytes,
  readExtensionFiles,
  readExtensionText,
} from "@ashlar/formats";
import { MAX_BEHAVIOUR_BYTES, parseBehaviour } from "./behaviour.ts";
import {
  EXTENSION_VERSION_PATTERN,
  type ExtensionBehaviour,
  type ExtensionKind,
  type ExtensionManifest,
  NO_BEHAVIOUR,
} from "../manifests/extension-manifest.ts";
import { EXTENSION_NAME_PATTERN } from "../words/extension-words.ts";

/** What an extension's file system says of itself. As good as the bytes that were read: see `VerifiedData`. */
export type ExtensionContent = {
  readonly kind: ExtensionKind;
  readonly name: string;
  readonly version: string;
  readonly host: ExtensionManifest["host"];
  readonly behaviour: ExtensionBehaviour;
  /** Everything below /usr, /opt or /etc, each directory before what it holds. */
  readonly entries: readonly ExtensionEntry[];
  readonly image: ErofsImage;
};

/** `systemd-analyze architectures` calls it so. */
const ARCHITECTURE = "x86-64";

/** Where an extension of that name keeps its behaviour. */
export function behaviourPath(kind: ExtensionKind, name: string): string {
  return `${kind === "sysext" ? "/usr/lib" : "/etc"}/ashlar/extensions/${name}.json`;
}

/**
 * Reads an extension's file system: who it is, for which hosts, and what it holds.
 *
 * @throws AshlarError `malformed`, `limit`, `invalid`, and whatever `read` throws
 */
export function readExtension(read: ReadBytes, sizeBytes: number): ExtensionContent {
  const files = readExtensionFiles(read, sizeBytes);
  const { kind, name, release, entries, image } = files;
  if (!EXTENSION_NAME_PATTERN.test(name)) invalid(`expected a name like debug-tools, found ${JSON.stringify(name)}`);
  const field = (key: string): string => release.get(key) ?? "";
  if (field("IMAGE_ID") !== name)
    invalid(`expected IMAGE_ID=${name} as in the file's name, found ${field("IMAGE_ID")}`);
  const version = field("IMAGE_VERSION");
  if (!EXTENSION_VERSION_PATTERN.test(version)) invalid(`expected a version in IMAGE_VERSION, found ${version}`);
  if (field("ARCHITECTURE") !== ARCHITECTURE) {
    invalid(`expected ARCHITECTURE=${ARCHITECTURE}, found ${field("ARCHITECTURE")}`);
  }
  if (field("ID") === "") invalid("expected the host's ID, or _any");
  const level = release.get(kind === "sysext" ? "SYSEXT_LEVEL" : "CONFEXT_LEVEL") ?? null;
  const behaviourText = readExtensionText(files, behaviourPath(kind, name), MAX_BEHAVIOUR_BYTES);
  const behaviour = behaviourText === undefined ? NO_BEHAVIOUR : parseBehaviour(behaviourText);
  return { kind, name, version, host: { id: field("ID"), level }, behaviour, entries, image };
}

function invalid(message: string): never {
  throw new AshlarError("invalid", `extension-release: ${message}`);
}
