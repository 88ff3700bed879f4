/** For tests: what a node reports that has these releases on its disk, each in a slot of its own. */
import { LOADER_CONFIG, sha256 } from "@ashlar/formats";
import type { ReleaseManifest } from "./manifests/manifest.ts";
import type { NextBootReport, SlotReport } from "./agent/update-api.ts";

/** @param installed each release with the file name of its boot entry */
export function testNextBootReport(installed: readonly (readonly [ReleaseManifest, string])[]): NextBootReport {
  const loader = installed[0]?.[0].bootLoader.sha256 ?? sha256("");
  return {
    espFiles: [
      file("EFI/BOOT/BOOTX64.EFI", loader),
      ...installed.map(([release, name]) => file(`EFI/Linux/${name}`, release.uki.sha256)),
      file("EFI/systemd/systemd-bootx64.efi", loader),
      file("loader/loader.conf", sha256(LOADER_CONFIG)),
    ],
    loaderConfig: LOADER_CONFIG,
    loaderVariables: {},
    slots: installed.map(([release]) => slotOf(release)),
  };
}

function slotOf({ version, usr }: ReleaseManifest): SlotReport {
  return {
    label: `ashlar_${version}`,
    dataPartitionUuid: usr.dataPartitionUuid,
    hashPartitionUuid: usr.hashPartitionUuid,
    rootHash: usr.rootHash,
    badBlocks: 0,
    readAt: "2026-01-02T03:04:05Z",
  };
}

function file(path: string, digest: string): NextBootReport["espFiles"][number] {
  return { path, sizeBytes: 4096, sha256: digest };
}
