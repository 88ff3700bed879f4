import { createHash } from "node:crypto";
import { messageOf } from "@ashlar/base";
import { explainFirmware } from "@ashlar/identity";
import {
  filesOfAnswer,
  readStoredAnswer,
  type EvidencePlace,
  type ReadAnswer,
  type StoredAnswer,
} from "@ashlar/verifier";
import type { Measured } from "@ashlar/views";

export type StoredFile = { readonly bytes: Uint8Array; readonly sizeBytes: number; readonly sha256: string };
export type NodeEvidence = { readonly measured: Measured | null; readonly files: ReadonlyMap<string, StoredFile> };

/** The evidence of nodes, read when somebody looks at one: that of ten thousand would not fit into memory. */
export type EvidenceStore = { readonly read: (name: string) => Promise<NodeEvidence | undefined> };

/** Evidence as `ashlar prove --evidence` keeps it. */
export function evidenceIn(place: EvidencePlace): EvidenceStore {
  return evidenceOf((name) => readStoredAnswer(place, name));
}

/** Evidence from elsewhere. */
export function evidenceOf(readAnswer: (name: string) => Pick<ReadAnswer, "answer"> | undefined): EvidenceStore {
  return {
    // oxlint-disable-next-line require-await -- others read from elsewhere
    read: async (name) => {
      // What cannot be read was judged, too: the node's verdict says what is wrong with it.
      const found = attempt(() => readAnswer(name));
      if (found === undefined) return undefined;
      const files = [...filesOfAnswer(found.answer)].map(([file, content]): [string, StoredFile] => {
        const bytes = Buffer.from(content);
        return [file, { bytes, sizeBytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") }];
      });
      return { measured: measuredIn(found.answer), files: new Map(files) };
    },
  };
}

function attempt<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const APPLICATION = "EV_EFI_BOOT_SERVICES_APPLICATION";

/** For people to look at. What it proves is in the verdict. */
function measuredIn({ evidence, pin }: StoredAnswer): Measured {
  const { pcrs, verity, commandLine } = evidence;
  const bank = pcrs.sha256 === undefined ? "sha384" : "sha256";
  return {
    pcrs: Object.fromEntries([...(pcrs[bank] ?? [])].map(([pcr, value]) => [String(pcr), value])),
    bank,
    programs: programsIn(evidence.firmwareLog, pin),
    usrRootHash: verity.rootHash ?? null,
    commandLine,
    ekSha256: pin.ekSha256,
    akName: pin.akName,
    enrolledAt: pin.enrolledAt,
  };
}

/** What was started after the hand-over, in its order: systemd-boot, the UKI, and its kernel. */
function programsIn(log: Uint8Array, pin: StoredAnswer["pin"]): Measured["programs"] {
  try {
    return explainFirmware(log, pin.firmware)
      .filter(({ pcr, type, role }) => pcr === 4 && type === APPLICATION && role === "judged")
      .map(({ digest, what }) => ({ digest, what }));
  } catch (error) {
    return [{ digest: "", what: `the log cannot be read: ${messageOf(error)}` }];
  }
}
