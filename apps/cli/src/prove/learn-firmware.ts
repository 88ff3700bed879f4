import { AshlarError } from "@ashlar/base";
import { reportLine } from "@ashlar/host/terminal";
import type { StoredAnswer } from "@ashlar/verifier";
import type { Proof } from "./prove-options.ts";

/** Adds a node's firmware to a policy: only of a node that is right, in what it runs and in what it boots next. */
export async function learnFirmware(
  { fleet }: Pick<Proof, "fleet">,
  nodeName: string,
  answer: StoredAnswer | undefined,
  policyPath: string,
): Promise<void> {
  const node = fleet.nodes.find(({ name }) => name === nodeName);
  const { firmwareToPin, levelWithNextBoot } = await import("@ashlar/identity");
  const level = node === undefined ? "no answer" : levelWithNextBoot(node);
  if (node === undefined || level !== "proven" || answer === undefined) {
    throw new AshlarError("untrusted", `expected ${nodeName} to be proven, found ${level}`, {
      hint: "nothing was learnt: values of a machine that is something else would be let in everywhere",
    });
  }
  const { addKnownFirmware } = await import("@ashlar/verifier");
  const name = `as on ${node.name}, ${new Date(answer.challengedAtMs).toISOString().slice(0, 10)}`;
  await addKnownFirmware(policyPath, { name, firmware: firmwareToPin(answer.evidence, answer.pin.firmware.accepted) });
  reportLine(`${policyPath}: firmware ${name}`);
}
