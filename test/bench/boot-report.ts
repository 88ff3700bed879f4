/**
 * What a machine says of its own boot, on its console: a unit of a profiled machine prints it, and this reads it. The unit
 * takes the numbers before it asks systemd anything: each answer about all units costs PID 1 seconds under emulation.
 */

/** When something was reached, in seconds since the kernel started: firmware and loader ran before. */
export type BootReport = {
  /** Where the initrd's systemd, and then the system's, has begun. 0: no systemd ran in the initrd. */
  readonly initrdAt: number;
  readonly systemAt: number;
  /** When systemd had read its units: it runs generators before. */
  readonly unitsReadAt: number;
  /** When the report began, and how long the processors had worked then, since the kernel started. */
  readonly endAt: number;
  readonly busySeconds: number;
  /** When the machine had reported. */
  readonly reportedAt: number;
  readonly units: readonly UnitTimes[];
  /** Processor time in seconds: processes that ran when the report began, and the children that each has outlived. */
  readonly processes: readonly { readonly name: string; readonly seconds: number; readonly children: number }[];
  readonly criticalChain: string;
};

export type UnitTimes = { readonly unit: string; readonly startedAt: number; readonly readyAt: number };

export const REPORT_UNIT = "boot-report.service";
/** The console has said everything. */
export const REPORT_END: RegExp = /^boot-report end/mu;

/** Identifiers of the journal's messages "Starting" and "Started" (systemd, sd-messages.h). */
const STARTING = "7d4958e842da4a758f6c1cdc7b36dcc5";
const STARTED = "39f53479d3a045ac8e11786248231fbf";

const MANAGER_TIMES = ["InitRD", "Userspace", "UnitsLoadFinish"] as const;

const SCRIPT = `
read -r uptime rest </proc/uptime
read -r stat </proc/stat
processes=$(cat /proc/[0-9]*/stat 2>/dev/null)
exec >/dev/ttyS0 2>&1
say() { sed "s/^/boot-report $1 /"; }
systemctl is-system-running --wait >/dev/null
echo
echo "$uptime" | say uptime
echo "$stat" | say stat
echo "$processes" | say process
systemctl show --property=${MANAGER_TIMES.map((name) => `${name}TimestampMonotonic`).join(",")} | say manager
journalctl --boot --output=json --output-fields=UNIT,MESSAGE_ID MESSAGE_ID=${STARTING} MESSAGE_ID=${STARTED} | say journal
systemd-analyze critical-chain --no-pager ${REPORT_UNIT} | say chain
read -r uptime rest </proc/uptime
echo "$uptime" | say reported
echo "boot-report end"
`;

/** The unit that reports once `units` have started. */
export function reportUnit(units: readonly string[]): string {
  const script = Buffer.from(SCRIPT).toString("base64");
  return `[Unit]
Description=Tell how this boot went
After=${units.join(" ")}

[Service]
# Started as soon as it runs: systemd's start-up is not finished before.
Type=exec
ExecStart=/bin/sh -c 'echo ${script} | base64 -d | sh'

[Install]
WantedBy=multi-user.target
`;
}

/** @throws TypeError when a part of the report is missing. */
export function parseBootReport(consoleText: string): BootReport {
  const section = (name: string): string[] => {
    const prefix = `boot-report ${name} `;
    const lines = consoleText.split(/\r?\n/u).filter((line) => line.startsWith(prefix));
    if (lines.length === 0) throw new TypeError(`expected lines "${prefix}..." in the machine's report on its boot`);
    return lines.map((line) => line.slice(prefix.length));
  };
  const manager = new Map(section("manager").map((line) => [before(line, "="), Number(after(line, "=")) / 1e6]));
  const time = (name: (typeof MANAGER_TIMES)[number]): number => {
    const seconds = manager.get(`${name}TimestampMonotonic`);
    if (seconds === undefined)
      throw new TypeError(`expected systemd's time ${name} in the machine's report on its boot`);
    return seconds;
  };
  return {
    initrdAt: time("InitRD"),
    systemAt: time("Userspace"),
    unitsReadAt: time("UnitsLoadFinish"),
    endAt: Number(section("uptime")[0]),
    busySeconds: busySeconds(section("stat")[0] ?? ""),
    reportedAt: Number(section("reported")[0]),
    units: readUnits(section("journal")),
    processes: section("process").flatMap(readProcess),
    criticalChain: section("chain").join("\n"),
  };
}

/** Of the line `cpu` of /proc/stat (proc_stat(5)): user, nice, system, and after idle and iowait irq, softirq, steal. */
function busySeconds(line: string): number {
  const ticks = line.split(/\s+/u).slice(1).map(Number);
  const busy = [0, 1, 2, 5, 6, 7].map((index) => ticks[index] ?? Number.NaN);
  return busy.reduce((sum, count) => sum + count, 0) / TICKS_PER_SECOND;
}

const TICKS_PER_SECOND = 100;

/** A unit that starts in the initrd and again in the system has two entries. */
function readUnits(lines: readonly string[]): UnitTimes[] {
  const units: UnitTimes[] = [];
  const starting = new Map<string, number>();
  for (const line of lines) {
    const entry = readEntry(line);
    if (entry === undefined) continue;
    const { unit, at, isStarted } = entry;
    if (!isStarted) starting.set(unit, at);
    else {
      units.push({ unit, startedAt: starting.get(unit) ?? at, readyAt: at });
      starting.delete(unit);
    }
  }
  return units;
}

function readEntry(line: string): { unit: string; at: number; isStarted: boolean } | undefined {
  const entry: unknown = JSON.parse(line);
  if (typeof entry !== "object" || entry === null || !("UNIT" in entry && "MESSAGE_ID" in entry)) return undefined;
  if (!("__MONOTONIC_TIMESTAMP" in entry) || typeof entry.UNIT !== "string") return undefined;
  return { unit: entry.UNIT, at: Number(entry.__MONOTONIC_TIMESTAMP) / 1e6, isStarted: entry.MESSAGE_ID === STARTED };
}

/** Of /proc/PID/stat (proc_pid_stat(5)): the name in parentheses, then utime, stime, cutime, cstime as 14th to 17th. */
function readProcess(line: string): BootReport["processes"] {
  const [, name, rest] = /^\d+ \((.*)\) (.*)$/u.exec(line) ?? [];
  if (name === undefined || rest === undefined) return [];
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = rest.split(" ").slice(11, 15).map(Number);
  return [
    { name, seconds: (user + system) / TICKS_PER_SECOND, children: (childUser + childSystem) / TICKS_PER_SECOND },
  ];
}

function before(text: string, mark: string): string {
  return text.slice(0, text.indexOf(mark));
}

function after(text: string, mark: string): string {
  return text.slice(text.indexOf(mark) + mark.length);
}
