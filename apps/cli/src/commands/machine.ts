import { AshlarError } from "@ashlar/base";
import { joinDrawn, printJson, printLine, printLines, reportLine, styled, type Printed } from "@ashlar/host/terminal";
import type { MachineCheck, MachineReport } from "@ashlar/verifier";
import { Command } from "commander";
import { withInterruption } from "../interruption.ts";
import { firmwareTable } from "../prove/firmware-table.ts";

export function machineCommand(): Command {
  return new Command("machine")
    .description("Find out whether a node on a real machine could be proven")
    .addHelpText("after", `\nExamples:\n  sudo ashlar machine check\n  ashlar machine check --ssh admin@server-1`)
    .addCommand(checkCommand());
}

type CheckOptions = {
  readonly ssh?: string;
  readonly save?: string;
  readonly ekRoots?: string;
  readonly cloudRoots?: string;
  readonly events?: true;
  readonly json?: true;
};

/** As a verdict's: 0 yes, 1 no, 2 not known. */
const EXIT_STATUS = { yes: 0, no: 1, unknown: 2 } as const;

function checkCommand(): Command {
  return new Command("check")
    .description("Look at a Linux machine's TPM, firmware log and Secure Boot, whatever system it has")
    .option("--ssh <host>", "another machine, by OpenSSH with your own configuration (default: this machine)")
    .option("--ek-roots <place>", "trusted TPM makers' certificates (default: those of ashlar trust)")
    .option("--cloud-roots <place>", "the same of clouds, for virtual TPMs (default: those of ashlar trust)")
    .option("--events", "explain the firmware's log event by event")
    .option("--save <dir>", "keep log and model without serial numbers, to send them to somebody")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Nothing is installed or changed there; sh, coreutils and root are needed, or sudo without a password. What the machine says is not
proved: an enrolment proves it.

Exit status: 0 a node on it could be proven, 1 it could not, 2 not all could be looked at.

Examples:
  sudo ashlar machine check
  ashlar machine check --ssh admin@server-1 --events
  ashlar machine check --ssh admin@server-1 --save out/server-1`,
    )
    .action(async (options: CheckOptions) => {
      const { askMachine, judgeMachine, readTrust, saveMachine } = await import("@ashlar/verifier");
      const { ekRoots, cloudRoots } = await readTrust({ ekRoots: options.ekRoots, cloudRoots: options.cloudRoots });
      const facts = await withInterruption(async (signal) => askMachine(options.ssh, signal));
      const report = judgeMachine(facts, ekRoots, new Date(), cloudRoots);
      if (options.save !== undefined) {
        const files = await saveMachine(options.save, facts, report);
        reportLine(`kept in ${options.save}: ${files.join(", ")}`);
      }
      const { provable, checks, events } = report;
      if (options.json === true)
        printJson({ schema: "ashlar.machine-check/v1", provable: provable ?? null, checks, events });
      else print(report, options.events === true);
      process.exitCode = EXIT_STATUS[provable === undefined ? "unknown" : provable ? "yes" : "no"];
    });
}

const MARKS = { ok: "green", note: "yellow", problem: "red" } as const;

function print({ provable, checks, events }: MachineReport, withEvents: boolean): void {
  printLines(checks.flatMap(linesOf));
  if (withEvents) {
    if (events.length === 0) throw new AshlarError("unavailable", "expected a firmware log to explain, found none");
    printLines(["", ...firmwareTable(events), ""]);
  }
  const problems = checks.filter(({ state }) => state === "problem").map(({ found }) => found);
  if (provable === true) printLine("would be provable: yes");
  else if (provable === false) printLine(`would be provable: no, because ${problems.join("; ")}`);
  else printLine(`would be provable: not known, because ${problems.join("; ")}`);
}

function linesOf({ state, found, advice }: MachineCheck): Printed[] {
  const line = joinDrawn([styled(MARKS[state], state.padEnd(7)), found], "  ");
  return advice === undefined ? [line] : [line, `         ${advice}`];
}
