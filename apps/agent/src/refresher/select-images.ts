import { basename } from "node:path";
import { messageOf } from "@ashlar/base";
import type { DeclaredExtension } from "@ashlar/declaration";
import { type ExtensionKind, type ExtensionsStatus, MAX_EXTENSIONS } from "@ashlar/protocol";
import { acceptImage, type AcceptedImage, type Host } from "../extensions/accept-image.ts";
import type { DebugSession } from "../extensions/debug-sessions.ts";
import { findConflict, type LookUp } from "./find-conflict.ts";

/** An extension that should be merged, with the images that may be, the best first. */
export type WantedExtension = {
  /** Undefined: whatever the image is. */
  readonly kind?: ExtensionKind;
  readonly name: string;
  readonly until: string | null;
  readonly images: readonly { readonly version: string; readonly path: string }[];
};

export type Selection = Pick<ExtensionsStatus, "setAside" | "missing"> & {
  readonly chosen: readonly (AcceptedImage & { readonly until: string | null })[];
};

/**
 * Takes the first good image of each extension. What is bad is set aside with its reason, and keeps nothing else from
 * being taken; of two that cannot stand beside each other the one that is declared, then the one that sorts first, stays.
 *
 * @param refused images by their paths, with why they are not taken: a merge with them has failed
 */
export function selectImages(
  wanted: readonly WantedExtension[],
  host: Host,
  lookUp: LookUp,
  refused: ReadonlyMap<string, string>,
): Selection {
  const chosen: Selection["chosen"][number][] = [];
  const setAside: Selection["setAside"][number][] = [];
  const missing: Selection["missing"][number][] = [];
  for (const { kind, name, until, images } of wanted.slice(0, MAX_EXTENSIONS)) {
    const before = setAside.length;
    for (const { version, path } of images) {
      const found = judge({ path, version, name, ...(kind && { kind }) }, host, lookUp, chosen, refused);
      if (typeof found !== "string") {
        chosen.push({ ...found, until });
        break;
      }
      setAside.push({ name, version, reason: found });
    }
    if (chosen.at(-1)?.name === name) continue;
    const found = setAside.length === before ? "no image of it is on this node" : "no image of it is acceptable";
    missing.push({ name, reason: found });
  }
  return { chosen, setAside, missing };
}

function judge(
  {
    path,
    ...expected
  }: { readonly path: string; readonly kind?: ExtensionKind; readonly name: string; readonly version: string },
  host: Host,
  lookUp: LookUp,
  chosen: readonly AcceptedImage[],
  refused: ReadonlyMap<string, string>,
): AcceptedImage | string {
  const reason = refused.get(path);
  if (reason !== undefined) return reason;
  try {
    const image = acceptImage(path, expected, host);
    return findConflict(image, lookUp, chosen) ?? image;
  } catch (error) {
    // Whatever is wrong with one image is that image's matter, a bug in our parsers included.
    return `${basename(path)}: ${messageOf(error)}`;
  }
}

/** Declared extensions first: a debug session must not push one out. */
export function wantedExtensions(
  declared: readonly DeclaredExtension[],
  imagesOf: (extension: DeclaredExtension) => WantedExtension["images"],
  sessions: readonly DebugSession[],
): WantedExtension[] {
  const names = new Set(declared.map(({ name }) => name));
  return [
    ...declared.map((extension) => ({
      kind: extension.kind,
      name: extension.name,
      until: null,
      images: imagesOf(extension),
    })),
    ...sessions
      .filter(({ name }) => !names.has(name))
      .map(({ name, version, path, until }) => ({ name, until, images: [{ version, path }] })),
  ];
}
