import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ENTRY_DIRECTORY } from "../slots/boot-entries.ts";

/** What systemd-sysupdate was writing when the power went, and what fsck.fat(8) then saved of it: nobody else removes it. */
const UNFINISHED = /^\.#sysupdate/u;
const SALVAGED = /^FSCK[0-9]{4}\.REC$/iu;

/** Gives back the room on the ESP that interrupted updates have taken. */
export async function removeLeftovers(esp: string): Promise<void> {
  for (const [directory, pattern] of [
    [join(esp, ENTRY_DIRECTORY), UNFINISHED],
    [esp, SALVAGED],
  ] as const) {
    for (const name of await readdir(directory)) {
      if (pattern.test(name)) await rm(join(directory, name), { force: true });
    }
  }
}
