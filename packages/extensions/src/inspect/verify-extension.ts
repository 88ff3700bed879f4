import type { X509Certificate } from "node:crypto";
import { basename } from "node:path";
import { AshlarError } from "@ashlar/base";
import { type Ddi, type DdiPartition, parseDdi, verifyRootHashSignature } from "@ashlar/formats";
import { type ExtensionManifest, extensionFileName } from "@ashlar/protocol";
import {
  type ImageProblem,
  openRegion,
  type Region,
  readRegionSync,
  verifyContent,
  verifyFileSystem,
} from "@ashlar/volumes";
import { digestOf } from "../image/digest-of.ts";
import { type ExtensionImage, readExtensionImage } from "./extension-image.ts";
import { readManifestBeside } from "./manifest-beside.ts";
import { findSlack } from "./find-slack.ts";

export type ExtensionVerification = {
  /** As signed; null when the image cannot be read that far. */
  readonly name: string | null;
  readonly version: string | null;
  readonly rootHash: string | null;
  /** Empty when everything is as it was signed and stated. */
  readonly problems: readonly ImageProblem[];
  /** What could not be checked, and why. */
  readonly unchecked: readonly string[];
};

const NOTHING = { name: null, version: null, rootHash: null } as const;

/**
 * Checks all that an image can be held against: its signature, every block, names and rules of extensions, and the
 * manifest beside it.
 *
 * @throws AshlarError `not-found`; what is wrong with the image is a problem
 */
export async function verifyExtension(
  path: string,
  certificates: readonly X509Certificate[],
  onProgress: (message: string) => void = () => undefined,
): Promise<ExtensionVerification> {
  const ddi = await attempt(async () => await readDdi(path));
  if (!ddi.done) return { ...NOTHING, problems: [ddi.problem], unchecked: [] };
  const { rootHash } = ddi.value.signed;
  onProgress("signature");
  const signature = await attempt(async () => verifyRootHashSignature(ddi.value.signed, certificates));
  onProgress("every block against the root hash");
  const blocks = await verifyFileSystem({
    name: `partition ${ddi.value.data.number} (data)`,
    data: regionOf(path, ddi.value.data),
    hashName: `partition ${ddi.value.tree.number} (hash tree)`,
    hash: regionOf(path, ddi.value.tree),
    rootHash,
    mountPoint: "",
  });
  const problems = [...(signature.done ? [] : [signature.problem]), ...blocks];
  if (blocks.length > 0) return { ...NOTHING, rootHash, problems, unchecked: ["files: damaged blocks come first"] };

  problems.push(...(await findSlack(path, ddi.value)));
  onProgress("files");
  const image = await attempt(async () => await readExtensionImage(path, "checked"));
  if (!image.done) return { ...NOTHING, rootHash, problems: [...problems, image.problem], unchecked: [] };
  const { name, version } = image.value.content;
  const fileName = extensionFileName({ name, version });
  if (basename(path) !== fileName) {
    problems.push({ message: `file name: expected ${fileName} as signed, found ${basename(path)}` });
  }
  const manifest = await attempt(async () => await readManifestBeside(path));
  if (!manifest.done) problems.push(manifest.problem);
  else if (manifest.value !== undefined) problems.push(...(await compareManifest(path, image.value, manifest.value)));
  const hasManifest = !manifest.done || manifest.value !== undefined;
  const unchecked = hasManifest ? [] : ["size, SHA-256 and files as published: there is no manifest beside the image"];
  return { name, version, rootHash, problems, unchecked };
}

async function readDdi(path: string): Promise<Ddi> {
  const region = await openRegion({ path });
  await using _handle = region.handle;
  return parseDdi(readRegionSync(region), region.sizeBytes);
}

async function compareManifest(
  path: string,
  { ddi, sizeBytes, content }: ExtensionImage,
  manifest: ExtensionManifest,
): Promise<ImageProblem[]> {
  const { kind, name, version, host, behaviour } = content;
  const { rootHash, certificateSha256 } = ddi.signed;
  const sha256 = await digestOf(path);
  const found = { kind, name, version, host, behaviour, image: { sizeBytes, sha256, rootHash, certificateSha256 } };
  const differing = Object.entries(found).flatMap(([field, value]) => {
    const stated = Object.entries(manifest).find(([key]) => key === field)?.[1];
    const [expected, actual] = [JSON.stringify(stated), JSON.stringify(value)];
    return expected === actual ? [] : [{ message: `manifest, ${field}: expected ${expected}, found ${actual}` }];
  });
  const region = { name: "manifest", data: regionOf(path, ddi.data), mountPoint: "" } as const;
  const { problems, unchecked } = await verifyContent(region, manifest.files);
  return [...differing, ...problems, ...(unchecked === undefined ? [] : [{ message: unchecked }])];
}

function regionOf(path: string, { offsetBytes, sizeBytes }: DdiPartition): Region {
  return { path, offsetBytes, sizeBytes };
}

type Attempt<T> = { readonly done: true; readonly value: T } | { readonly done: false; readonly problem: ImageProblem };

/** What is wrong with the image is a finding; that there is none is not. */
async function attempt<T>(work: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { done: true, value: await work() };
  } catch (error) {
    if (!(error instanceof AshlarError) || error.code === "not-found") throw error;
    return { done: false, problem: { message: error.message } };
  }
}
