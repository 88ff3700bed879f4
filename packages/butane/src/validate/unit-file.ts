/** What Ignition reads out of a unit file. */
export type UnitFile = {
  /** A line that does not follow the grammar. */
  readonly problem?: string;
  /** Whether there is something in an `[Install]` section; Ignition does not ask what. */
  readonly installs: boolean;
};

/**
 * Reads sections and options (systemd.syntax(7)) as strictly as Ignition: text before the first section does not count,
 * a line with a backslash at its end goes on in the next.
 */
export function readUnitFile(text: string): UnitFile {
  const lines = text.split("\n");
  let section: string | undefined;
  let installs = false;
  for (let index = 0; index < lines.length; index += 1) {
    const line = (lines[index] ?? "").trimStart();
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    if (line.startsWith("[")) {
      const end = line.indexOf("]");
      if (end < 0) return { installs, problem: `expected a ] after ${shown(line)}, found none` };
      if (line.slice(end + 1).trim() !== "") {
        return {
          installs,
          problem: `expected nothing behind ${line.slice(0, end + 1)}, found ${shown(line.slice(end + 1))}`,
        };
      }
      section = line.slice(1, end);
      continue;
    }
    if (section === undefined) continue;
    const equals = line.indexOf("=");
    if (equals < 0) return { installs, problem: `expected NAME=VALUE, found ${shown(line)}` };
    installs ||= section === "Install";
    while ((lines[index] ?? "").trimEnd().endsWith("\\") && index + 1 < lines.length) index += 1;
  }
  return { installs };
}

function shown(text: string): string {
  const line = text.trim();
  return line.length > 40 ? `${line.slice(0, 37)}...` : line;
}
