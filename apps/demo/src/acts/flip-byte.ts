import { open, readFile } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import { findBlockOwners, openErofs, SECTOR_BYTES } from "@ashlar/formats";
import { levelWithNextBoot } from "@ashlar/identity";
import { parseManifest } from "@ashlar/protocol/answers";
import type { Lab } from "@ashlar/lab";
import type { Outcome, Stage } from "../stage.ts";

/** The first program that the booted system runs from /usr: its block is read at every boot. */
const VICTIM = "/lib/systemd/systemd";
const BLOCK_BYTES = 4096;
/** Slot A's place on the disk: after 1 MiB of tables and the ESP. */
const USR_OFFSET_BYTES = 257 * 1024 * 1024;
/** Many times what a boot takes under emulation. */
const MAX_BOOT_MS = 15 * 60_000;

/** One byte of a stopped node's disk is changed; the node refuses to run it. */
export async function flipByte(stage: Stage, lab: Lab): Promise<Outcome> {
  const node = lab.nodes.find(({ name }) => name === "node-2");
  if (node === undefined) throw new TypeError("the demo's lab has a second node");
  await stage.mustRun("lab", "stop", "node-2", "--name", lab.name);
  const block = await findVictimBlock(node.diskPath, lab.manifestPath);
  const place = USR_OFFSET_BYTES + block * BLOCK_BYTES + 1000;
  await flipByteAt(node.diskPath, place);
  stage.say(
    `  flipped one byte in block ${block} of /usr on node-2's disk (sector ${(block * BLOCK_BYTES) / SECTOR_BYTES} of the slot)`,
  );

  await stage.mustRun("lab", "start", "node-2", "--name", lab.name, "--no-wait");
  const refusal = await waitForRefusal(stage, lab);
  stage.say(`    node-2's console: ${refusal}`);
  const { fleet } = await stage.proveLab(lab.name);
  await stage.mustRun("lab", "stop", "node-2", "--name", lab.name, "--force");
  // As it was: a lab that is kept can be played on.
  await flipByteAt(node.diskPath, place);
  const verdict = fleet.nodes.find(({ name }) => name === "node-2");
  const level = verdict === undefined ? "missing" : levelWithNextBoot(verdict);
  const words = verdict?.differences.map(({ found }) => found).join(" ") ?? "";
  const named = words.includes(String(block)) && words.includes(`/usr${VICTIM}`);
  return {
    attempt: `one byte of /usr${VICTIM} is flipped on the disk of a stopped node`,
    result: `the node does not run it (${refusal}); verdict ${level}: ${words}`,
    held: level !== "proven" && named,
    reach: "none of the changed code runs: the kernel stops at the block, at every boot until the disk is written anew",
    stoppedBy: "dm-verity, whose root hash is in the measured command line; the verdict names block and file",
  };
}

async function findVictimBlock(diskPath: string, manifestPath: string): Promise<number> {
  const { usr } = parseManifest(await readFile(manifestPath, "utf8"));
  const bytes = Buffer.alloc(usr.dataSizeBytes);
  {
    await using disk = await open(diskPath, "r");
    await disk.read(bytes, 0, bytes.length, USR_OFFSET_BYTES);
  }
  const image = openErofs((offset, size) => bytes.subarray(offset, offset + size), bytes.length);
  const { owners } = findBlockOwners(
    image,
    Array.from({ length: bytes.length / BLOCK_BYTES }, (_, index) => index),
  );
  for (const [block, found] of owners) {
    if (found.length === 1 && found[0]?.path === VICTIM && found[0].part === "data") return block;
  }
  throw new AshlarError("not-found", `no block of the image belongs to ${VICTIM} alone`);
}

async function flipByteAt(path: string, offsetBytes: number): Promise<void> {
  await using disk = await open(path, "r+");
  const byte = Buffer.alloc(1);
  await disk.read(byte, 0, 1, offsetBytes);
  await disk.write(Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, offsetBytes);
}

async function waitForRefusal(stage: Stage, lab: Lab): Promise<string> {
  const deadline = performance.now() + MAX_BOOT_MS;
  while (performance.now() < deadline) {
    const lines = await lab.consoleTail("node-2", 400);
    const line = lines.find((each) => /verity.*corrupt/iu.test(each));
    if (line !== undefined) return line.trim();
    await stage.pause(1000);
  }
  return "nothing about a damaged block";
}
