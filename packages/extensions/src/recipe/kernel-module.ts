import { createHash, X509Certificate } from "node:crypto";
import { cp, glob, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { signDetached } from "@ashlar/formats";
import { run, withTemporaryDirectory } from "@ashlar/host";
import type { ReleaseManifest } from "@ashlar/protocol/answers";
import type { Material } from "@ashlar/statements";
import {
  type ArchiveOptions,
  BuildTree,
  cachedStep,
  chooseArchive,
  downloadPackages,
  keepArchives,
  keptArchives,
  makeDebianTrees,
  packageMaterials,
  readOsDefinition,
  type Step,
} from "@ashlar/debian";
import type { ExtensionSigner } from "../image/write-ddi.ts";
import { checkWayToFile } from "../tree/check-way.ts";

export type KernelModuleOptions = {
  /** A directory with a Kbuild Makefile and what it builds. */
  readonly source: string;
  readonly base: Pick<ReleaseManifest, "packages">;
  readonly archive: ArchiveOptions;
  /** Whoever signs the extension signs its modules, too. */
  readonly signer: ExtensionSigner;
  readonly tree: string;
  readonly step: Step;
};

type Kernel = { readonly release: string; readonly version: string };

/**
 * Builds modules against the kernel of the base, signs them, and puts them where only that kernel looks for them.
 *
 * @returns the packages that it was built with
 * @throws AshlarError `not-found` when the base has no kernel, `failed` with the words of apt or make
 */
export async function stageKernelModule(options: KernelModuleOptions): Promise<readonly Material[]> {
  const { base, source, signer, tree } = options;
  const kernel = kernelOf(base);
  const inputs = { format: 2, ...kernel, source: await digestOf(source) };
  const { directory } = await cachedStep("kernel-module", inputs, async (out) => await build(kernel, options, out));
  const place = `/usr/lib/modules/${kernel.release}/updates`;
  const target = join(tree, place);
  for (const name of (await readdir(directory)).filter((each) => each.endsWith(".ko"))) {
    const module = await readFile(join(directory, name));
    // The recipe's packages are in the tree already.
    await checkWayToFile(tree, `${place}/${name}`, "the recipe's packages");
    await mkdir(target, { recursive: true });
    await writeFile(join(target, name), signModule(module, signer), { mode: 0o644 });
  }
  return packageMaterials(await keptArchives(directory), "build");
}

function kernelOf(base: Pick<ReleaseManifest, "packages">): Kernel {
  for (const { name, version } of base.packages) {
    const { release } = /^linux-image-(?<release>\d.+)$/u.exec(name)?.groups ?? {};
    if (release !== undefined) return { release, version };
  }
  throw new AshlarError(
    "not-found",
    "expected a kernel (linux-image-VERSION) among the release's packages, found none",
  );
}

async function digestOf(directory: string): Promise<string> {
  const digest = createHash("sha256");
  const names = await readdir(directory);
  for (const name of names.toSorted()) digest.update(`${name}\0`).update(await readFile(join(directory, name)));
  return digest.digest("hex");
}

async function build({ release }: Kernel, { source, archive, step }: KernelModuleOptions, out: string): Promise<void> {
  const chosen = await chooseArchive(archive);
  const trees = await makeDebianTrees(await readOsDefinition(), chosen, step);
  const needed = await downloadPackages([`linux-headers-${release}`, "gcc", "make"], trees, chosen, trees, step);
  await keepArchives(out, needed);
  await withTemporaryDirectory(async (work) => {
    step.onProgress(`building a module for Linux ${release}`);
    const host = await BuildTree.unpack(trees.buildTar, join(work, "tree"), step);
    for (const { path } of needed) {
      await run("dpkg-deb", ["--extract", path, host.directory], { signal: step.signal });
    }
    const copy = join(work, "source");
    await cp(source, copy, { recursive: true });
    const binds = { "/mnt/source": copy };
    await host.run("make", ["--silent", "-C", `/usr/src/linux-headers-${release}`, "M=/mnt/source", "modules"], {
      binds,
    });
    for await (const name of glob("*.ko", { cwd: copy })) {
      await host.run("strip", ["--strip-debug", `/mnt/source/${name}`], { binds });
      await cp(join(copy, name), join(out, name));
    }
  }, dirname(out));
}

/** Linux, include/linux/module_signature.h: `id_type` PKCS #7. */
const PKCS7 = 2;
const MAGIC = "~Module signature appended~\n";

/** A module with its signature appended, as the kernel's own scripts/sign-file does it. */
export function signModule(module: Uint8Array, { privateKey, certificatePem }: ExtensionSigner): Buffer {
  const signature = signDetached(module, { privateKey, certificate: new X509Certificate(certificatePem) });
  // algo, hash, id_type, signer_len, key_id_len, three bytes of padding: all but the type are in the signature itself.
  const trailer = Buffer.from([0, 0, PKCS7, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  trailer.writeUInt32BE(signature.length, 8);
  return Buffer.concat([module, signature, trailer, Buffer.from(MAGIC, "latin1")]);
}
