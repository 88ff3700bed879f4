import { Worker } from "node:worker_threads";

/** Source text, since a thread from a file takes longer to start than a small image to hash. */
const WORKER_SOURCE = `
  const { createHash } = require("node:crypto");
  const { openSync, readSync } = require("node:fs");
  const { parentPort, workerData } = require("node:worker_threads");
  const file = openSync(workerData, "r");
  const buffer = Buffer.allocUnsafe(1024 * 1024);
  const digest = createHash("sha256");
  for (let size; (size = readSync(file, buffer)) > 0;) digest.update(buffer.subarray(0, size));
  parentPort.postMessage(digest.digest("hex"));
`;

/** The SHA-256 of a file, by a thread of its own: other work goes on in the meantime. */
export async function digestOf(path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const worker = new Worker(WORKER_SOURCE, { eval: true, workerData: path, execArgv: [] });
  worker.once("message", resolve).once("error", reject);
  worker.once("exit", (code) => reject(new Error(`the hashing thread ended early with status ${code}`)));
  return await promise;
}
