import { linesOf } from "../snapshot/lines.ts";

/** What getcap(8) prints: `PATH cap_net_raw=ep` (libcap 2.41 and newer), or `PATH = cap_net_raw+ep`. */
export function readCapabilities(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of linesOf(text)) {
    const at = line.lastIndexOf(" ");
    const path = line.slice(0, Math.max(0, at)).replace(/ =$/u, "");
    if (path !== "") found.set(path, line.slice(at + 1).replace("+", "="));
  }
  return found;
}
