/** How far a machine's boot has come. */
export type BootPhase = "firmware" | "initrd" | "ignition" | "system" | "agent";

const ORDER: readonly BootPhase[] = ["firmware", "initrd", "ignition", "system", "agent"];

/** The first lines on the console that tell each phase. `agent` is not seen on the console. */
const MARKS: readonly (readonly [BootPhase, RegExp])[] = [
  ["initrd", /EFI stub:|Linux version \d|\[ {2}OK {2}\]|^ +Starting /u],
  ["ignition", /ignition-[a-z-]+\.service|ashlar-config\.service/u],
  ["system", /initrd-switch-root\.service|Switching root|\blogin:/u],
];

/** The firmware prints this once in each boot, before it starts the boot loader. */
const NEW_BOOT = /BdsDxe: loading /u;

/** Nothing that still runs will get further by itself. */
const DEAD_ENDS =
  /UEFI Interactive Shell|No bootable option or device was found|Kernel panic|ashlar: boot stopped|You are in (?:emergency|rescue) mode|Freezing execution|System halted/u;

/** Seconds since the kernel started. */
const KERNEL_TIME = /^\[ *\d+\.\d+\] /u;

export type BootProgress = {
  readonly phase: BootPhase;
  /** How often the machine has come up, counting from 1; more than that means that it restarted by itself. */
  readonly boots: number;
  /** The line that says that this boot has failed. */
  readonly deadEnd: string | undefined;
};

export const POWERED_ON: BootProgress = { phase: "firmware", boots: 0, deadEnd: undefined };

/** What one more line of the console tells. */
export function afterLine(progress: BootProgress, rawLine: string): BootProgress {
  const line = plainText(rawLine);
  if (NEW_BOOT.test(line)) return { phase: "firmware", boots: progress.boots + 1, deadEnd: undefined };
  const deadEnd = progress.deadEnd ?? (DEAD_ENDS.test(line) ? line.replace(KERNEL_TIME, "").trim() : undefined);
  let { phase } = progress;
  for (const [marked, mark] of MARKS) {
    if (ORDER.indexOf(marked) > ORDER.indexOf(phase) && mark.test(line)) phase = marked;
  }
  return { ...progress, phase, deadEnd };
}

// The console is a terminal: colours, cursor movements and other control sequences and strings (ECMA-48, 5.4 and 5.6) are no text.
// eslint-disable-next-line no-control-regex -- the escape character is what is looked for
const CONTROL_SEQUENCE = /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][ -~]*(?:\u0007|\u001B\\)|[@-Z\\^_=>])/gu;
// eslint-disable-next-line no-control-regex -- likewise
const CONTROL_CHARACTER = /[\u0000-\u0008\u000B-\u001F\u007F]/gu;

/** A line of console output without what only a terminal understands. */
export function plainText(line: string): string {
  return line.replaceAll(CONTROL_SEQUENCE, "").replaceAll(CONTROL_CHARACTER, "");
}
