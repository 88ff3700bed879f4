/** For the test of crashes: writes the first node of one archive to another one, and is killed in the middle of a write. */
import { open } from "node:fs/promises";
import { keepEvidence } from "./keep-evidence.ts";
import { openEvidence } from "./place.ts";
import { readStoredAnswer } from "./read-answer.ts";
import { readStoredFleet } from "./read-fleet.ts";

const [place = "", from = "", writes = ""] = process.argv.slice(2);
const file = await open(from);
const handle: { writeFile: (bytes: Uint8Array) => Promise<void>; sync: () => Promise<void> } =
  Object.getPrototypeOf(file);
await file.close();
let left = Number(writes);
const { writeFile, sync } = handle;
handle.writeFile = async function half(this: typeof file, bytes: Uint8Array): Promise<void> {
  if (--left > 0) return await writeFile.call(this, bytes);
  await writeFile.call(this, bytes.subarray(0, bytes.length / 2));
  process.kill(process.pid, "SIGKILL");
};
handle.sync = async function none(this: typeof file): Promise<void> {
  if (--left === 0) process.kill(process.pid, "SIGKILL");
  await sync.call(this);
};

using evidence = await openEvidence(from);
const fleet = await readStoredFleet(evidence.place);
await using keeper = await keepEvidence(place, fleet);
const found = readStoredAnswer(evidence.place, fleet.nodes[0] ?? "");
if (found !== undefined) await keeper.keep(fleet.nodes[0] ?? "", found.answer);
await keeper.finish();
