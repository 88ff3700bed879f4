/** The phases of a boot by what its machine reports, as a table for two kinds of machine. */
import type { BootReport, UnitTimes } from "./boot-report.ts";
import { median } from "./evidence.ts";

export type Profile = { readonly report: BootReport; readonly phases: ReadonlyMap<string, number> };

/** What is not worth a line. */
const MIN_UNIT_SECONDS = 0.3;
const MIN_PROCESS_SECONDS = 0.2;

/** The seconds of each phase. What a machine does not have is not in it. */
export function phasesOf(report: BootReport): Map<string, number> {
  const at = (unit: string): number | undefined =>
    report.units.findLast(({ unit: name, readyAt }) => name === unit && readyAt > report.systemAt)?.readyAt;
  const { initrdAt, systemAt, unitsReadAt } = report;
  const hasInitrd = initrdAt > 0;
  const ends: readonly (readonly [string, number | undefined, number | undefined])[] = [
    ["kernel to the system's systemd", 0, systemAt],
    ["  kernel to initrd", 0, hasInitrd ? initrdAt : undefined],
    ["  initrd", initrdAt, hasInitrd ? systemAt : undefined],
    ["generators and reading units", systemAt, unitsReadAt],
    ["units read to sysinit.target", unitsReadAt, at("sysinit.target")],
    ["sysinit.target to basic.target", at("sysinit.target"), at("basic.target")],
    ["basic.target to multi-user.target", at("basic.target"), at("multi-user.target")],
    ["multi-user.target to the agent's start", at("multi-user.target"), at("ashlar-agent.service")],
    ["multi-user.target to health", at("multi-user.target"), at("ashlar-health.service")],
    ["kernel to the end", 0, report.endAt],
    ["of that, processors busy", 0, report.busySeconds],
  ];
  return new Map(
    ends.flatMap(([name, from, to]) => (from === undefined || to === undefined ? [] : [[name, to - from]])),
  );
}

export function printProfile(title: string, own: readonly Profile[], theirs: readonly Profile[]): string[] {
  const names = [...new Set([...own, ...theirs].flatMap(({ phases }) => phases.keys().toArray()))];
  return [
    "",
    title,
    row("", "node", "Debian"),
    ...names.map((name) => row(name, medianOf(own, name), medianOf(theirs, name))),
    ...describe("node", own.at(-1)?.report),
    ...describe("Debian", theirs.at(-1)?.report),
  ];
}

/** Units, processes and the critical chain of one boot. */
function describe(whose: string, report: BootReport | undefined): string[] {
  if (report === undefined) return [];
  const isInitrd = ({ readyAt }: UnitTimes): boolean => readyAt <= report.systemAt;
  const units = (wanted: readonly UnitTimes[]): string[] =>
    wanted
      .map(({ unit, startedAt, readyAt }) => ({ unit, startedAt, seconds: readyAt - startedAt }))
      .filter(({ seconds }) => seconds >= MIN_UNIT_SECONDS)
      .toSorted((a, b) => b.seconds - a.seconds)
      .map(({ unit, startedAt, seconds }) => `  ${pad(seconds)}  ${unit}, from ${startedAt.toFixed(1)} on`);
  const processes = report.processes
    .filter(({ seconds, children }) => seconds >= MIN_PROCESS_SECONDS || children >= MIN_PROCESS_SECONDS)
    .toSorted((a, b) => b.seconds - a.seconds)
    .map(({ name, seconds, children }) => `  ${pad(seconds)} ${pad(children)}  ${name}`);
  return [
    "",
    `${whose}: units of the initrd`,
    ...units(report.units.filter(isInitrd)),
    `${whose}: units of the system`,
    ...units(report.units.filter((unit) => !isInitrd(unit))),
    `${whose}: processor time, and that of children that ended`,
    ...processes,
    `${whose}: critical chain`,
    report.criticalChain,
  ];
}

function medianOf(profiles: readonly Profile[], name: string): string {
  const values = profiles.flatMap(({ phases }) => phases.get(name) ?? []);
  return values.length === 0 ? "-" : median(values).toFixed(1);
}

function row(name: string, own: string, theirs: string): string {
  return `${name.padEnd(36)} ${own.padStart(8)} ${theirs.padStart(8)}`;
}

function pad(seconds: number): string {
  return seconds.toFixed(1).padStart(6);
}
