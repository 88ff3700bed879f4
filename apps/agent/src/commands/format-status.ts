import { compareVersions } from "@ashlar/formats";
import type { UpdatePhase, UpdateStatus } from "@ashlar/protocol";

const PHASES: Readonly<Record<UpdatePhase, string>> = {
  idle: "idle",
  checking: "reading the repository's metadata",
  fetching: "collecting blocks",
  installing: "writing the slot and the boot entry",
  "checking-slots": "reading back what was written",
};

const MEBIBYTE = 1024 * 1024;

/** The status for a terminal. */
export function formatStatus(status: UpdateStatus): string[] {
  const { health, failures, lastError } = status;
  const lines = [
    `running    ${status.version}${status.trial ? " (on trial: not found healthy yet)" : ""}${belowMinimum(status)}`,
    `next boot  ${status.staged ?? status.version}${status.rebootNeeded ? " (reboot needed)" : ""}`,
    `now        ${formatProgress(status)}`,
    `health     ${health === null ? "not checked yet in this boot" : health.healthy ? "healthy" : "not healthy"}`,
  ];
  lines.push(...formatLoader(status));
  if (!status.ownStatePartition) {
    lines.push(
      "state      on /var: no partition of its own, so what workloads write there can keep this node from updating",
    );
  }
  for (const { name, passed, message } of health?.checks ?? []) {
    if (!passed) lines.push(...indented(`${name}: ${message}`));
  }
  if (lastError !== null) lines.push(`last order failed: ${lastError.message}`);
  if (lastError?.hint !== undefined) lines.push(`  hint: ${lastError.hint}`);
  for (const { version, at, check, message, bootId } of failures) {
    lines.push(`failed here: ${version} at ${at} by ${check}${bootId === null ? "" : ` in boot ${bootId}`}`);
    lines.push(...indented(message));
  }
  return lines;
}

/** Only when there is something to say: that it is the running release's is the rule. */
function formatLoader({ version, bootLoader }: UpdateStatus): string[] {
  if (bootLoader === null) return [];
  const { copies, problem } = bootLoader;
  const others = copies.filter(({ release }) => release !== version);
  return [
    ...others.map(({ path, sha256, release }) => {
      const found =
        sha256 === null ? "missing" : release === null ? `not known, sha256 ${sha256}` : `that of ${release}`;
      return `systemd-boot  ${path} is ${found}`;
    }),
    ...(problem === null
      ? []
      : indented([problem.message, problem.hint].filter((part) => part !== undefined).join("\n"))),
  ];
}

/** It fell back by itself, or was installed so: nobody can order it. */
function belowMinimum({ version, minimumVersion }: UpdateStatus): string {
  if (minimumVersion === null || compareVersions(version, minimumVersion) >= 0) return "";
  return ` (below ${minimumVersion}, the oldest that its channel allows)`;
}

/** One line on what is being done. */
export function formatProgress({ phase, target, progress }: UpdateStatus): string {
  const what = target === null ? PHASES[phase] : `${target}: ${PHASES[phase]}`;
  if (progress === null || phase !== "fetching") return what;
  const { totalBytes, copiedBytes, fetchedBytes } = progress;
  return `${what} (${mebibytes(copiedBytes)} of ${mebibytes(totalBytes)} MiB found here, ${mebibytes(fetchedBytes)} MiB fetched)`;
}

function mebibytes(bytes: number): string {
  return (bytes / MEBIBYTE).toFixed(1);
}

function indented(text: string): string[] {
  return text.split("\n").map((line) => `    ${line}`);
}
