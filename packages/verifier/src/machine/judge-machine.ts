import { AshlarError } from "@ashlar/base";
import { parseFirmwareLog, replayPcrs, splitCertificates, type FirmwareLog, type HashName } from "@ashlar/formats";
import {
  checkAkChain,
  checkCloudEkChain,
  checkEkChain,
  explainFirmware,
  namesManufacturer,
  parseCertificate,
  parsedOf,
  readableCertificates,
  type EkChain,
  type EkRoots,
  type ExplainedEvent,
  type ParsedCertificate,
} from "@ashlar/identity";
import { PCR_BANKS, type PcrBank } from "@ashlar/protocol";
import type { MachineFacts } from "./machine-facts.ts";

/** One thing that was looked at. A `problem` keeps a node on this machine from being proven. */
export type MachineCheck = {
  readonly id: string;
  readonly state: "ok" | "note" | "problem";
  readonly found: string;
  /** What to do about it. */
  readonly advice?: string;
};

export type MachineReport = {
  /** Whether a node on this machine could be proven; undefined when not all could be looked at. */
  readonly provable: boolean | undefined;
  readonly checks: readonly MachineCheck[];
  readonly events: readonly ExplainedEvent[];
};

const FIRMWARE_PCRS = [0, 1, 2, 3, 4, 5, 6, 7];
/** From here on NV memory has intermediates, not EK certificates (TCG EK Credential Profile 2.5, 2.2.1.5). */
const FIRST_INTERMEDIATE = 0x0100;

/**
 * Says whether a node on this machine could be proven, and what is in the way.
 *
 * @param ekRoots the makers that are trusted; without them it is not said whose TPM would be proven
 * @param cloudRoots the same of clouds
 */
export function judgeMachine(
  facts: MachineFacts,
  ekRoots: EkRoots | undefined,
  now: Date,
  cloudRoots?: EkRoots,
): MachineReport {
  const { checks: logChecks, events } = judgeLog(facts);
  const checks = [
    judgeTpm(facts),
    judgeUefi(facts),
    judgeBank(facts),
    ...logChecks,
    ...judgeEk(facts, { ekRoots, cloudRoots, now }),
    judgeSecureBoot(facts),
  ];
  const isUnknown = checks.some(({ id }) => id === NOT_LOOKED_AT);
  const hasProblem = checks.some(({ state, id }) => state === "problem" && id !== NOT_LOOKED_AT);
  return { provable: hasProblem ? false : isUnknown ? undefined : true, checks, events };
}

const NOT_LOOKED_AT = "access";
const AS_ROOT = "run it as root, or let sudo work without a password";

function judgeTpm({ tpmVersion }: MachineFacts): MachineCheck {
  if (tpmVersion === "2") return { id: "tpm", state: "ok", found: "TPM 2.0" };
  const advice = "switch it on in the firmware's set-up (TPM, fTPM, PTT, security device)";
  if (tpmVersion === undefined)
    return { id: "tpm", state: "problem", found: "no TPM that the kernel knows of", advice };
  return { id: "tpm", state: "problem", found: `a TPM ${tpmVersion}.x; 2.0 is needed` };
}

function judgeUefi({
  isUefi,
  vendor,
  product,
  firmwareVendor,
  firmwareVersion,
  firmwareDate,
}: MachineFacts): MachineCheck {
  const model = [vendor, product].filter(Boolean).join(" ") || "machine of unknown make";
  const firmware = [firmwareVendor, firmwareVersion, firmwareDate].filter(Boolean).join(" ") || "unknown firmware";
  if (isUefi) return { id: "firmware", state: "ok", found: `${model}, ${firmware}, booted by UEFI` };
  const advice = "boot it by UEFI: switch legacy boot (CSM) off";
  return { id: "firmware", state: "problem", found: `${model}, ${firmware}, not booted by UEFI`, advice };
}

function judgeBank({ banks, tpmVersion }: MachineFacts): MachineCheck {
  const names = [...banks.keys()].join(", ") || "none";
  if (PCR_BANKS.some((bank) => banks.has(bank))) return { id: "banks", state: "ok", found: `PCR banks ${names}` };
  if (tpmVersion !== "2") return { id: "banks", state: "problem", found: "no PCR banks" };
  const advice = "switch the TPM's SHA-256 or SHA-384 bank on in the firmware's set-up (PCR banks, or hash policy)";
  return { id: "banks", state: "problem", found: `PCR banks ${names}; SHA-256 or SHA-384 is needed`, advice };
}

function judgeLog({ firmwareLog, banks, isRoot, tpmVersion }: MachineFacts): {
  readonly checks: readonly MachineCheck[];
  readonly events: readonly ExplainedEvent[];
} {
  if (firmwareLog === undefined) {
    if (tpmVersion !== "2") return { checks: [], events: [] };
    const check: MachineCheck = isRoot
      ? {
          id: "log",
          state: "problem",
          found: "the kernel has no event log of the firmware",
          advice: "is securityfs mounted at /sys/kernel/security?",
        }
      : { id: NOT_LOOKED_AT, state: "problem", found: "the firmware's event log cannot be read", advice: AS_ROOT };
    return { checks: [check], events: [] };
  }
  try {
    const log = parseFirmwareLog(firmwareLog);
    const events = explainFirmware(firmwareLog);
    return { checks: [...judgeReplays(log, banks), judgeHandOver(events), ...noteOwnPrograms(events)], events };
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    const advice = error.hint === undefined ? {} : { advice: error.hint };
    return { checks: [{ id: "log", state: "problem", found: error.message, ...advice }], events: [] };
  }
}

/** For each bank that a node's quote would have. */
function judgeReplays(log: FirmwareLog, banks: MachineFacts["banks"]): MachineCheck[] {
  const active = PCR_BANKS.filter((bank) => banks.has(bank));
  return (active.length === 0 ? (["sha256"] as const) : active).map((bank) => judgeReplay(bank, log, banks));
}

/** Whether the log leads to the values that the TPM has. Others than firmware extend only PCRs 8 and up. */
function judgeReplay(bank: PcrBank, log: FirmwareLog, banks: MachineFacts["banks"]): MachineCheck {
  const found = `${log.events.length} events of the firmware in bank ${bank}`;
  if (log.events.length > 0 && log.events.every(({ digests }) => digests[bank] === undefined)) {
    const without = `PCR bank ${bank} is on, and the firmware does not measure into it`;
    const advice = "switch this bank off in the firmware's set-up, or update the firmware";
    return { id: "replay", state: "problem", found: without, advice };
  }
  const values = banks.get(bank) ?? new Map<number, string>();
  const replayed = replay(log, bank);
  const wrong = FIRMWARE_PCRS.filter((pcr) => values.has(pcr) && values.get(pcr) !== replayed.get(pcr));
  if (values.size === 0)
    return { id: "replay", state: "note", found: `${found}; the kernel shows no values to compare` };
  if (wrong.length === 0) return { id: "replay", state: "ok", found: `${found}; the log leads to the TPM's values` };
  return {
    id: "replay",
    state: "problem",
    found: `${found}; the log does not lead to the TPM's value of PCR ${wrong.join(", ")}`,
    advice: "update the firmware; if that does not help, send us what --save keeps",
  };
}

function replay(log: FirmwareLog, bank: HashName): ReadonlyMap<number, string> {
  const values = replayPcrs(log, { events: [] }, bank);
  return new Map([...values].map(([pcr, value]) => [pcr, Buffer.from(value).toString("hex")]));
}

function judgeHandOver(events: readonly ExplainedEvent[]): MachineCheck {
  const refused = events.filter(({ role }) => role === "refused");
  if (refused.length === 0)
    return { id: "hand-over", state: "ok", found: "nothing was measured after the firmware handed over" };
  const list = refused.slice(0, 8).map(({ pcr, what, digest }) => `PCR ${pcr} ${what} ${digest}`);
  return {
    id: "hand-over",
    state: "note",
    found: `measured after the firmware handed over: ${list.join("; ")}`,
    advice:
      "if these are the firmware's own: enrol the node with ashlar prove --accept-firmware NODE and their digests",
  };
}

function noteOwnPrograms(events: readonly ExplainedEvent[]): MachineCheck[] {
  const own = events.filter(({ pcr, role }) => pcr === 4 && role === "pinned");
  if (own.length === 0) return [];
  const list = own.slice(0, 8).map(({ what, digest }) => `${what} ${digest}`);
  return [
    {
      id: "programs",
      state: "note",
      found: `programs of the firmware's own, remembered at enrolment: ${list.join("; ")}`,
    },
  ];
}

function judgeEk(
  { nv, cloud, canAskTpm, tpmVersion, isRoot }: MachineFacts,
  given: Omit<Trust, "intermediates">,
): MachineCheck[] {
  if (tpmVersion !== "2") return [];
  if (!canAskTpm) {
    if (isRoot) return [{ id: "ek", state: "problem", found: "/dev/tpmrm0 cannot be opened" }];
    return [{ id: NOT_LOOKED_AT, state: "problem", found: "the TPM cannot be asked", advice: AS_ROOT }];
  }
  // A place that is defined and empty is passed over by a node, too.
  const certificates = [...nv].filter(
    ([index, bytes]) => index < FIRST_INTERMEDIATE && splitCertificates(Buffer.from(bytes)).length > 0,
  );
  if (certificates.length === 0 && cloud.size > 0) {
    return anyIsEnough([...cloud].map(([index, der]) => judgeCloudCertificate(index, der, given)));
  }
  if (certificates.length === 0) {
    return [
      {
        id: "ek",
        state: "problem",
        found: "the TPM has no EK certificate: nothing says that a maker of TPMs made it",
        advice: "its node can be reported, not proven",
      },
    ];
  }
  const rest = [...nv].filter(([index]) => index >= FIRST_INTERMEDIATE).toSorted(([one], [other]) => one - other);
  // Over the borders of indices.
  const chain = splitCertificates(Buffer.concat(rest.map(([, bytes]) => bytes))).slice(0, MAX_INTERMEDIATES);
  const intermediates = readableCertificates(chain);
  return anyIsEnough(certificates.map(([index, der]) => judgeCertificate(index, der, { ...given, intermediates })));
}

/** One whose issuer is trusted is enough. */
function anyIsEnough(checks: readonly MachineCheck[]): MachineCheck[] {
  const isTrusted = checks.some(({ state }) => state === "ok");
  return checks.map((each) => (isTrusted && each.state === "problem" ? asNote(each) : each));
}

function asNote({ id, found }: MachineCheck): MachineCheck {
  return { id, state: "note", found };
}

const MAX_INTERMEDIATES = 16;

type Trust = {
  readonly intermediates: readonly ParsedCertificate[];
  readonly ekRoots: EkRoots | undefined;
  readonly cloudRoots: EkRoots | undefined;
  readonly now: Date;
};

/** Places of the TCG EK Credential Profile 2.5 (2.2.1.4) whose keys nodes do not use. */
const UNSUPPORTED: ReadonlyMap<number, string> = new Map([
  [0x1a, "SM2"],
  [0x1e, "RSA-4096"],
]);

function judgeCertificate(index: number, bytes: Uint8Array, trust: Trust): MachineCheck {
  const place = `EK certificate at 0x01c0${hex(index)}`;
  const kind = UNSUPPORTED.get(index);
  if (kind !== undefined) {
    return {
      id: "ek",
      state: "problem",
      found: `${place}: for an ${kind} key, which is not supported`,
      advice: "a node needs a certificate for an RSA-2048, RSA-3072, P-256, P-384 or P-521 key: ask the maker",
    };
  }
  return judgeChain(place, bytes, "maker", ({ x509, fields }) => {
    const { ekRoots, cloudRoots, intermediates, now } = trust;
    if (cloudRoots !== undefined && !namesManufacturer({ x509, fields })) {
      return checkCloudEkChain(x509, cloudRoots, now, intermediates);
    }
    return ekRoots && checkEkChain(x509, ekRoots, now, intermediates);
  });
}

function judgeCloudCertificate(
  index: number,
  bytes: Uint8Array,
  { cloudRoots, now }: Omit<Trust, "intermediates">,
): MachineCheck {
  const place = `attestation key's certificate at 0x01c1${hex(index)}`;
  return judgeChain(place, bytes, "cloud", ({ x509 }) => cloudRoots && checkAkChain(x509, cloudRoots, now));
}

function judgeChain(
  place: string,
  bytes: Uint8Array,
  issuers: "maker" | "cloud",
  check: (certificate: ParsedCertificate) => EkChain | undefined,
): MachineCheck {
  try {
    const certificate = parsedOf(parseCertificate(splitCertificates(Buffer.from(bytes))[0] ?? bytes, place));
    const { x509 } = certificate;
    const issuer = (x509.issuer ?? "").replaceAll("\n", ", ") || "an issuer without a name";
    const found = `${place}, issued by ${issuer}, until ${x509.validTo}`;
    const chain = check(certificate);
    if (chain === undefined) {
      const option = issuers === "maker" ? "--ek-roots" : "--cloud-roots";
      const advice = `give the ${issuers}'s root certificates with ${option} to see whether its chain is complete`;
      return { id: "ek", state: "note", found, advice };
    }
    const { problem, notes } = chain;
    if (problem === undefined) return { id: "ek", state: "ok", found: [found, ...notes].join("; ") };
    const advice = `add the ${issuers}'s root certificate to what you trust`;
    return { id: "ek", state: "problem", found: `${found}: ${problem}`, advice };
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    return { id: "ek", state: "problem", found: error.message };
  }
}

function hex(index: number): string {
  return index.toString(16).padStart(4, "0");
}

function judgeSecureBoot({ secureBoot, setupMode, bootLoader }: MachineFacts): MachineCheck {
  const state = secureBoot === undefined ? "unknown" : secureBoot ? "on" : "off";
  const mode = setupMode === true ? ", in set-up mode" : "";
  const loader = bootLoader === undefined ? "" : `; boot loader ${bootLoader}`;
  return { id: "secure-boot", state: "note", found: `Secure Boot is ${state}${mode}${loader}` };
}
