import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "@ashlar/base";
import { pageFiles } from "@ashlar/console";
import { Board, evidenceIn, serveConsole } from "@ashlar/gateway";
import { withTemporaryDirectory } from "@ashlar/host";
import { printJson, printLine, reportLine } from "@ashlar/host/terminal";
import { openEvidence, writeStoredAnswer } from "@ashlar/verifier";
import { withInterruption } from "../interruption.ts";
import { proveFrom } from "../prove/prove-from.ts";
import { proveLive } from "../prove/prove-live.ts";
import type { OnAnswer, Proof } from "../prove/prove-options.ts";
import { parseListen, sourceOf, type ConsoleOptions, type ConsoleSource } from "./console-options.ts";
import { watchProofs } from "./watch-proofs.ts";
import { watchRollouts } from "./watch-rollouts.ts";

/** Serves the page until the user ends it. What cannot be shown at all ends it at once. */
export async function runConsole(options: ConsoleOptions): Promise<void> {
  const source = sourceOf(options);
  const address = parseListen(options.listen);
  await withTemporaryDirectory(async (directory) => {
    using kept = await openEvidence(options.from ?? directory);
    const evidence = source.kind === "cluster" ? {} : { evidence: evidenceIn(kept.place) };
    const board = new Board({ ...source, maxAgeSeconds: options.maxAge, ...evidence });
    // What there is to show is known before anybody is told where to look.
    if (options.from !== undefined) put(board, await proveFrom(options.from, { maxAge: options.maxAge }));
    const server = await serveConsole({ board, page: await pageFiles(), ...address });
    try {
      if (options.json === true) {
        const { url, token } = server;
        printJson({ schema: "ashlar.console/v1", url, token }, { lines: "one" });
      } else {
        printLine(server.url);
        reportLine("whoever has this URL can look; Ctrl-C ends it");
      }
      await withInterruption(async (signal) => {
        await fill(board, source, { ...options, directory, signal });
      });
    } finally {
      await server.close();
    }
  });
}

type Filling = ConsoleOptions & { readonly directory: string; readonly signal: AbortSignal };

async function fill(board: Board, source: ConsoleSource, options: Filling): Promise<void> {
  const { signal, from } = options;
  if (source.kind === "cluster")
    return void (await Promise.all([watchProofs(board, options), watchRollouts(board, options)]));
  if (from === undefined) return await askAgainAndAgain(board, options);
  await untilAborted(signal);
}

async function askAgainAndAgain(board: Board, options: Filling): Promise<void> {
  const { lab, fleet, maxAge, interval, directory, signal } = options;
  const which = { ...(lab === undefined ? {} : { lab }), ...(fleet === undefined ? {} : { fleet }) };
  for (let round = 0; !signal.aborted; round += 1) {
    board.begin();
    try {
      const writing: Promise<void>[] = [];
      const onAnswer: OnAnswer = (name, answer) => void writing.push(writeStoredAnswer(directory, name, answer));
      const proof = await proveLive({ ...which, maxAge }, onAnswer, () => undefined);
      await Promise.all(writing);
      put(board, proof);
    } catch (error) {
      if (signal.aborted) return;
      // What is wrong from the beginning, as a lab that is not there, does not become right by waiting.
      if (round === 0) throw error;
      board.fail(messageOf(error));
      reportLine(`nodes could not be asked: ${messageOf(error)}`);
    }
    await sleep(interval * 1000, undefined, { signal }).catch(() => undefined);
  }
}

function put(board: Board, { fleet, agesMs }: Proof): void {
  const nowMs = Date.now();
  board.put(
    fleet.nodes.map((verdict) => {
      const ageMs = agesMs.get(verdict.name);
      return { verdict, provedAtMs: ageMs === undefined ? undefined : nowMs - ageMs };
    }),
  );
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener("abort", () => resolve(), { once: true });
  // A signal's listener alone does not keep the process.
  const alive = setInterval(() => undefined, 60_000);
  await promise;
  clearInterval(alive);
}
