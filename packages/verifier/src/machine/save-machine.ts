import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { withoutEventData } from "@ashlar/formats";
import { writeFileAtomically } from "@ashlar/host";
import type { MachineFacts } from "./machine-facts.ts";
import type { MachineReport } from "./judge-machine.ts";

/**
 * Keeps what somebody else needs to look into a machine's log: the log without data that may name the machine, its model, and
 * what was said of it. EK certificates are left out: each names one TPM.
 */
export async function saveMachine(directory: string, facts: MachineFacts, report: MachineReport): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const { kernel, vendor, product, firmwareVendor, firmwareVersion, firmwareDate, secureBoot, banks, nv } = facts;
  const model = { kernel, vendor, product, firmwareVendor, firmwareVersion, firmwareDate, secureBoot };
  const pcrs = Object.fromEntries([...banks].map(([bank, values]) => [bank, Object.fromEntries(values)]));
  const checks = report.checks.filter(({ id }) => id !== "ek");
  const machine = { schema: "ashlar.machine/v1", ...model, pcrs, nvIndices: [...nv.keys()], checks };
  const files: [string, string | Uint8Array][] = [["machine.json", `${JSON.stringify(machine, undefined, 2)}\n`]];
  if (report.events.length > 0 && facts.firmwareLog !== undefined) {
    files.push(["firmware-log.bin", withoutEventData(facts.firmwareLog)]);
  }
  for (const [name, content] of files) await writeFileAtomically(join(directory, name), content);
  return files.map(([name]) => name);
}
