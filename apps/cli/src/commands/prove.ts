import { AshlarError } from "@ashlar/base";
import { printJson, printLine, printLines } from "@ashlar/host/terminal";
import type { StoredAnswer } from "@ashlar/verifier";
import { Command } from "commander";
import { firmwareTable } from "../prove/firmware-table.ts";
import { fleetTable } from "../prove/fleet-table.ts";
import { learnFirmware } from "../prove/learn-firmware.ts";
import { proveFrom } from "../prove/prove-from.ts";
import { proveLive } from "../prove/prove-live.ts";
import { refuseContradictions, type OnAnswer, type Proof, type ProveOptions } from "../prove/prove-options.ts";
import { VERDICT_STATUS } from "../prove/verdict-status.ts";
import { withProveOptions } from "../prove/with-prove-options.ts";

export function proveCommand(): Command {
  const command = new Command("prove").description("Prove from TPM quotes that nodes run exactly what was declared");
  return withProveOptions(command)
    .option("--enrol-again <node...>", "nodes whose TPM or firmware you have changed: pin what they have now")
    .option(
      "--accept-firmware <node-digests...>",
      "a node, then digests that its own firmware measures where others may not: accept exactly these",
    )
    .option("--learn-firmware <node>", "add the firmware of this node, once it is proven, to the --firmware-policy")
    .option("--show-firmware <node>", "explain the node's firmware log, event by event, in place of the table")
    .option("--json", "print JSON (schema: docs/reference/schemas/fleet-verdict-v2.json)")
    .addHelpText(
      "after",
      `
Levels: proven (a trusted TPM signed it), reported (its TPM has no
certificate, or no --ek-roots or --cloud-roots was given, so that the TPM is not trusted), mismatch,
unknown (no answer, or an old one). A node's TPM and firmware are enrolled at the first contact and pinned.

Exit status: 0 all proven, both what nodes run and what they boot next; 1 a mismatch of either; 2 no mismatch, but not all of it is
proven. Failures of the command itself have others, from 64 on: a wrong option never looks like a node that was tampered with.

Firmware: what the machine's own firmware measures is pinned. Some machines load drivers of their own after it has handed over,
which looks like one on the disk: such a node is refused until --accept-firmware names exactly these digests. Before firmware is
updated on many machines, update one that you trust, enrol it again and --learn-firmware: the others may have it, too.

LEVEL is about what a node runs. Its next boot is judged beside that and has a level of its own: a mismatch when the node would not
boot a known, undamaged release next, unknown when that cannot be told. A release in its other slot has to be known for
that, too (--releases, --known-image).

While a node is being updated, both its old and its new release are accepted for it, and for no other node.

Extensions: each that is merged must be declared in the configs, published and not withdrawn, and each that is declared
must be merged. What \`ashlar debug\` has allowed on a node is listed, and accepted until its time is over.

With --kubernetes names, addresses (InternalIP) and classes come from the API server of a cluster, and nothing that it says is
proof. The class config is --config FILE; or with --config DIR that of the Node's label
ashlar.node-restriction.kubernetes.io/class, as CLASS.bu or CLASS.ign: a label that no kubelet can write. A node
without one, without an agent, or whose Node is not Ready is told apart from the others, whose verdicts stay.

With --fleet everything about nodes comes from one file: classes with their configs, releases and trusted makers, and nodes by
name, by pattern or from clusters. --image, --releases, --ek-roots, --cloud-roots and --pins take the place of what it says.

Examples:
  ashlar prove --lab lab
  ashlar prove --fleet fleet.yaml --json
  ashlar prove --kubernetes --lab lab
  ashlar prove --kubernetes --context prod --image out/image --config classes --node-configs nodes --ek-roots makers.pem
  ashlar prove --lab lab --evidence out/evidence --json
  ashlar prove --from out/evidence
  ashlar prove --lab lab --enrol-again node-1
  ashlar prove --lab lab --show-firmware node-1
  ashlar prove --nodes https://worker-1:7443,https://worker-2:7443 \\
    --image out/image --config worker.bu --node-configs nodes --ek-roots makers.pem`,
    )
    .action(async (options: ProveOptions) => {
      refuseContradictions(options);
      const explained = new AnswerOf(options.showFirmware);
      const learnt = new AnswerOf(options.learnFirmware);
      const onAnswer: OnAnswer = (name, answer) => {
        explained.take(name, answer);
        learnt.take(name, answer);
      };
      const proof = await (options.from === undefined
        ? proveLive(options, onAnswer)
        : proveFrom(options.from, options, explained.isWanted ? { onAnswer } : {}));
      if (options.learnFirmware !== undefined)
        await learnFirmware(proof, options.learnFirmware, learnt.answer, options.firmwarePolicy ?? "");
      if (options.showFirmware === undefined) await print(proof, options.json === true);
      else await explain(options.showFirmware, explained.answer, options.json === true);
      process.exitCode = VERDICT_STATUS[proof.fleet.verdict];
    });
}

/** Keeps one node's answer. */
class AnswerOf {
  readonly #name: string | undefined;
  answer: StoredAnswer | undefined;

  constructor(name: string | undefined) {
    this.#name = name;
  }

  get isWanted(): boolean {
    return this.#name !== undefined;
  }

  take(name: string, answer: StoredAnswer): void {
    if (name === this.#name) this.answer = answer;
  }
}

async function explain(name: string, answer: StoredAnswer | undefined, asJson: boolean): Promise<void> {
  if (answer === undefined)
    throw new AshlarError("unavailable", `expected an answer of ${name}, found none to explain`);
  const { explainFirmware } = await import("@ashlar/identity");
  const events = explainFirmware(answer.evidence.firmwareLog, answer.pin.firmware);
  if (asJson) printJson({ schema: "ashlar.firmware/v1", node: name, events });
  else printLines(firmwareTable(events));
}

async function print({ fleet, agesMs }: Proof, asJson: boolean): Promise<void> {
  if (asJson) {
    printJson(fleet);
    return;
  }
  const { summaryOf } = await import("@ashlar/identity");
  printLines(fleetTable(fleet.nodes, agesMs));
  printLine(summaryOf(fleet));
}
