import { messageOf } from "@ashlar/base";
import { run } from "@ashlar/host";
import { reportLine, reportText } from "@ashlar/host/terminal";
import { type Setting, SETTINGS } from "../extensions/merge-record.ts";

const IN_DIRECTORY = /^\/(?:usr\/lib|etc)\/(?<directory>[a-z-]+\.d)\//u;

/** Those of which an extension with these paths has files. */
export function settingsIn(entries: readonly { readonly path: string }[]): Setting[] {
  const directories = new Set(entries.map(({ path }) => IN_DIRECTORY.exec(path)?.groups?.["directory"]));
  return SETTINGS.filter((setting) => directories.has(setting));
}

/** As the service of the same name does at boot. What that one has still to do is left to it. */
const COMMANDS: Readonly<Record<Setting, { readonly service: string; readonly command: readonly string[] }>> = {
  "modules-load.d": { service: "systemd-modules-load.service", command: ["/usr/lib/systemd/systemd-modules-load"] },
  "sysctl.d": { service: "systemd-sysctl.service", command: ["/usr/lib/systemd/systemd-sysctl"] },
  "tmpfiles.d": { service: "systemd-tmpfiles-setup.service", command: ["systemd-tmpfiles", "--create"] },
};

/** Applies what has come since the boot began. That something of it cannot be applied is said, as at boot, and no more. */
export async function applySettings(settings: readonly Setting[]): Promise<void> {
  for (const setting of settings) {
    const { service, command } = COMMANDS[setting];
    const isOver = await run("systemctl", ["is-active", "--quiet", service], { acceptStatus: [0, 3, 4] });
    if (isOver.status !== 0) continue;
    const [program = "", ...args] = command;
    await run(program, args, { onLine: (line) => reportLine(`${setting}: ${line}`) }).catch((error: unknown) => {
      reportText(`${setting}: ${messageOf(error)}`);
    });
  }
}
