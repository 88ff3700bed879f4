/** What a thread of `JudgingThreads` runs. */
import { parentPort, workerData } from "node:worker_threads";
import { KnownReadings, parseEkRoots, type EkRoots } from "@ashlar/identity";
import { EvidenceArchive } from "./archive.ts";
import { judgeStored } from "./judge-stored.ts";
import type { JudgedPart, ThreadJob, ThreadRoots } from "./judging-threads.ts";

/** Each message wakes the other side. */
const NODES_AT_ONCE = 128;

const job: ThreadJob = workerData;
const { names, nowMs, next } = job;
const place = typeof job.place === "string" ? job.place : new EvidenceArchive(job.place);
const options = { ...job.options, ekRoots: readRoots(job.ekRoots), cloudRoots: readRoots(job.cloudRoots) };
const judging = { place, nowMs, options, readings: new KnownReadings() };
const counter = new Int32Array(next);
for (let start = take(); start < names.length; start = take()) {
  const nodes = names.slice(start, start + NODES_AT_ONCE).map((name) => judgeStored(name, judging));
  parentPort?.postMessage({ start, nodes } satisfies JudgedPart);
}

function take(): number {
  return Atomics.add(counter, 0, NODES_AT_ONCE);
}

function readRoots(roots: ThreadRoots | undefined): EkRoots | undefined {
  return roots && parseEkRoots(roots.pem, { acceptExpired: roots.acceptExpired });
}
