import { parseFirmwareLog, sha256, UserspaceRecords, type FirmwareLog } from "@ashlar/formats";
import type { NextBootReport, PcrBank } from "@ashlar/protocol";
import { parseNextBootReport } from "@ashlar/protocol/answers";
import type { Measurements } from "./measurements.ts";

/** A firmware's log, and what follows from it alone. */
export type KnownFirmwareLog = FirmwareLog & {
  /** What it leads to, by bank. */
  readonly pcrs: Map<PcrBank, ReadonlyMap<number, Uint8Array>>;
  /** With the SHA-256 bank alone, where what events are called does not depend on what is known of others. */
  measured?: Measurements["events"];
};

/** About 50 kB each. */
const MAX_FIRMWARE_LOGS = 256;
/** 1 MiB each at most. */
const MAX_REPORTS = 32;

/**
 * What nodes of one kind say with the same bytes, read once for all of them. Everything here follows from these bytes, all of them,
 * and from nothing else about a node: whether its TPM vouches for them is found out for each.
 */
export class KnownReadings {
  /** Of systemd's logs: all but a few of a machine's records are those of every machine like it. */
  readonly records: UserspaceRecords = new UserspaceRecords();
  readonly #firmwareLogs = new Map<string, KnownFirmwareLog>();
  readonly #reports = new Map<string, NextBootReport>();

  /** @throws AshlarError as `parseFirmwareLog` */
  firmwareLog(bytes: Uint8Array): KnownFirmwareLog {
    return remember(this.#firmwareLogs, sha256(bytes), MAX_FIRMWARE_LOGS, () => {
      // A view into the file that was read would keep all of it, and could change with it.
      const log = parseFirmwareLog(Uint8Array.from(bytes));
      return { ...log, pcrs: new Map<PcrBank, ReadonlyMap<number, Uint8Array>>() };
    });
  }

  /** @throws AshlarError as `parseNextBootReport` */
  nextBootReport(text: string): NextBootReport {
    return remember(this.#reports, text, MAX_REPORTS, () => parseNextBootReport(text));
  }
}

/** A value that is made when it is asked for first. With too many, all are forgotten. */
function remember<Value>(values: Map<string, Value>, key: string, max: number, make: () => Value): Value {
  const known = values.get(key);
  if (known !== undefined) return known;
  const value = make();
  if (values.size === max) values.clear();
  values.set(key, value);
  return value;
}
