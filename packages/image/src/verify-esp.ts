import { hash } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { bootEntryId, KEY_VARIABLES } from "@ashlar/formats";
import { run } from "@ashlar/host";
import { BOOT_LOADER_PATHS, ENROLMENT_PATHS } from "@ashlar/protocol";
import type { ReleaseManifest } from "@ashlar/protocol/answers";
import { compare, type ImageProblem, type Region } from "@ashlar/volumes";
import { verifyBootLoader, verifyUki } from "./verify-files.ts";

export type EspVerification = {
  readonly problems: readonly ImageProblem[];
  /** Why the ESP could not be looked into; undefined when it was. */
  readonly unchecked: string | undefined;
};

/** Checks the boot loader and the UKI in the EFI system partition of a disk image, as mtools reads them. */
export async function verifyEsp(
  name: string,
  esp: Required<Region>,
  manifest: ReleaseManifest,
): Promise<EspVerification> {
  const problems: ImageProblem[] = [];
  try {
    for (const path of BOOT_LOADER_PATHS) {
      const found = await readEspFile(esp, path);
      problems.push(...verifyBootLoader(`${name} ${path}`, found, manifest));
    }
    const path = `EFI/Linux/${bootEntryId(manifest.version)}`;
    problems.push(...(await verifyEnrolment(name, esp, manifest)));
    problems.push(...verifyUki(`${name} ${path}`, await readEspFile(esp, path), manifest));
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    if (error.code === "missing-tool") return { problems, unchecked: `${name}: mtools is not installed` };
    problems.push({ message: `${name}: ${error.message}` });
  }
  return { problems, unchecked: undefined };
}

/** The files that enrol the owner's keys for Secure Boot. */
async function verifyEnrolment(
  name: string,
  esp: Required<Region>,
  manifest: ReleaseManifest,
): Promise<ImageProblem[]> {
  if (manifest.secureBoot === undefined) return [];
  const problems: ImageProblem[] = [];
  for (const variable of KEY_VARIABLES) {
    const path = ENROLMENT_PATHS[variable];
    const expected = manifest.secureBoot[variable].variableSha256;
    problems.push(...compare(`${name} ${path} SHA-256`, expected, hash("sha256", await readEspFile(esp, path))));
  }
  return problems;
}

async function readEspFile({ path: disk, offsetBytes }: Required<Region>, path: string): Promise<Uint8Array> {
  const { stdout } = await run("mcopy", ["-n", "-i", `${disk}@@${offsetBytes}`, `::${path}`, "-"], {
    env: { MTOOLSRC: "/dev/null" },
  });
  return stdout;
}
