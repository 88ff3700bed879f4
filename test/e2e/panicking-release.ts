import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { authenticodeDigest, ukiSections, BOOT_PHASES, expectedPcr11, expectedPcr4 } from "@ashlar/formats";
import { parseManifest } from "@ashlar/protocol/answers";

/**
 * Makes a release of another one whose kernel panics, since what it is given as an initrd is none. It is signed and
 * measured like any other: it is bad, not false.
 */
export async function makePanickingRelease(options: {
  readonly from: string;
  readonly fromVersion: string;
  readonly to: string;
  readonly version: string;
}): Promise<void> {
  const { from, fromVersion, to, version } = options;
  await mkdir(to, { recursive: true });
  for (const name of ["usr.erofs", "usr.verity", "sbom.cdx.json"]) await copyFile(join(from, name), join(to, name));
  const bytes = await readFile(join(from, "uki.efi"));
  // The sections are views of the file.
  for (const { name, data } of ukiSections(bytes)) {
    if (name === ".initrd") data.fill(0x5a);
    if (name === ".osrel")
      data.set(Buffer.from(Buffer.from(data).toString("latin1").replaceAll(fromVersion, version), "latin1"));
  }
  await writeFile(join(to, "uki.efi"), bytes);

  const manifest = parseManifest(await readFile(join(from, "manifest.json"), "utf8"));
  const sections = ukiSections(bytes).map(({ name, data }) => ({ name, sha256: hash("sha256", data) }));
  const uki = {
    ...manifest.uki,
    sha256: hash("sha256", bytes),
    authenticode: authenticode(bytes, "sha256"),
    sections,
  };
  const programs = {
    bootLoader: manifest.bootLoader.authenticode,
    uki: uki.authenticode,
    linux: uki.linuxAuthenticode,
  };
  const phases = BOOT_PHASES.map((phase, index) => [phase, expectedPcr11(sections, BOOT_PHASES.slice(0, index + 1))]);
  const changed = {
    ...manifest,
    version,
    osRelease: manifest.osRelease.replaceAll(fromVersion, version),
    uki,
    pcrs: { "4": expectedPcr4(programs), "11": Object.fromEntries(phases) },
    pcr11Sections: expectedPcr11(sections, []),
    ...(manifest.sha384 === undefined
      ? {}
      : {
          sha384: {
            ...manifest.sha384,
            uki: authenticode(bytes, "sha384"),
            sections: ukiSections(bytes).map(({ name, data }) => ({ name, sha384: hash("sha384", data) })),
          },
        }),
  };
  const text = JSON.stringify(changed);
  parseManifest(text);
  await writeFile(join(to, "manifest.json"), text);
}

function hash(algorithm: "sha256" | "sha384", bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest("hex");
}

function authenticode(bytes: Uint8Array, algorithm: "sha256" | "sha384"): string {
  return Buffer.from(authenticodeDigest(bytes, algorithm)).toString("hex");
}
