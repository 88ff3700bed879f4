import { SHA256_HEX } from "@ashlar/base";
import { connect } from "node:net";
import { setTimeout } from "node:timers";
import type { EvidenceResponse } from "@ashlar/protocol";

type VerityStatus = EvidenceResponse["verity"];

const UNKNOWN: VerityStatus = { device: "usr", status: "" };
const MAX_ANSWER_CHARACTERS = 4096;
const TIMEOUT_MS = 20_000;

/**
 * Asks for the device mapper's present word on /usr. Only root may ask the kernel, so a service of its own runs `dmsetup` for
 * each connection (ashlar-verity-status.service) and this process needs no privilege for it.
 */
export async function readVerityStatus(socketPath: string): Promise<VerityStatus> {
  const { promise, resolve } = Promise.withResolvers<VerityStatus>();
  let answer = "";
  const socket = connect(socketPath).setEncoding("utf8");
  const timer = setTimeout(() => socket.destroy(), TIMEOUT_MS);
  socket.on("data", (text: string) => {
    answer += text;
    if (answer.length > MAX_ANSWER_CHARACTERS) socket.destroy();
  });
  // Without an answer the status is unknown, and said to be so: the proof does not rest on it.
  socket.on("error", () => undefined);
  socket.on("close", () => {
    clearTimeout(timer);
    resolve(parseVerityStatus(answer));
  });
  return await promise;
}

/**
 * Reads the lines of `dmsetup table usr` and `dmsetup status usr` (kernel, admin-guide/device-mapper/verity.rst):
 * `START LENGTH verity VERSION DATA HASH BLOCK BLOCK BLOCKS START ALGORITHM ROOT-HASH SALT ...` and
 * `START LENGTH verity V|C`.
 */
export function parseVerityStatus(output: string): VerityStatus {
  const targets = output
    .slice(0, MAX_ANSWER_CHARACTERS)
    .split("\n")
    .map((line) => line.trim().split(/\s+/u))
    .filter((words) => words[2] === "verity");
  const status = targets.find((words) => words.length < TABLE_WORDS)?.[3];
  if (status !== "V" && status !== "C") return UNKNOWN;
  const rootHash = targets.find((words) => words.length >= TABLE_WORDS)?.[ROOT_HASH_WORD];
  if (rootHash === undefined || !SHA256_HEX.test(rootHash)) return { device: "usr", status };
  return { device: "usr", status, rootHash };
}

const ROOT_HASH_WORD = 11;
const TABLE_WORDS = 13;
