import type { Evidence } from "@ashlar/protocol/answers";
import { checkLogs, type Measurements } from "./check/check-logs.ts";
import { firmwareOf, type PinnedFirmware } from "./judge/judge-firmware.ts";

/**
 * What an enrolment pins of a node's firmware. Evidence whose logs do not hold is never pinned; its values are given as they
 * are, so that the verdict can say what is wrong.
 *
 * @param accepted digests that the operator has accepted by name
 */
export function firmwareToPin(evidence: Evidence, accepted: readonly string[] = []): PinnedFirmware {
  return firmwareOf(measurementsOf(evidence), accepted);
}

/** All digests that a node's logs prove of PCRs 0 to 15; none when the logs do not hold. */
export function firmwareDigests(evidence: Evidence): ReadonlySet<string> {
  const { events } = measurementsOf(evidence);
  return new Set([...events.values()].flat().map(({ digest }) => digest));
}

function measurementsOf(evidence: Evidence): Measurements {
  return checkLogs(evidence, []) ?? { pcrs: evidence.pcrs, events: new Map() };
}
