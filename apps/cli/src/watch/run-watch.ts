import { basename, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { readNamedFile, stateDirectory } from "@ashlar/host";
import { printJson, printLine, reportLine } from "@ashlar/host/terminal";
import { evidenceInState, openState, serveWatcher, Watcher, type Declared } from "@ashlar/watch";
import { withInterruption } from "../interruption.ts";
import { declareLive } from "../prove/prove-live.ts";
import { readListen } from "./read-listen.ts";
import { parseWebhooks, type WatchOptions } from "./watch-options.ts";

const DEFAULT_AGE_INTERVALS = 3;

/** Proves nodes and answers until the user ends it. */
export async function runWatch(options: WatchOptions): Promise<void> {
  const { fleet, tokenFile, webhooks, interval } = options;
  const maxAge = options.maxAge ?? DEFAULT_AGE_INTERVALS * interval;
  if (maxAge < interval) {
    const expected =
      "expected --max-age to be at least --interval: otherwise nodes are unknown before they are asked again";
    throw new AshlarError("usage", expected);
  }
  const listen = await readListen(options.listen, tokenFile);
  const places = webhooks === undefined ? [] : parseWebhooks(await textOf(webhooks, "webhooks"), webhooks);
  using state = openState(options.state ?? join(stateDirectory(), "watch.sqlite"));
  const watcher = new Watcher({
    state,
    declare: async () => await declare(fleet, maxAge),
    fleet: basename(fleet),
    intervalMs: interval * 1000,
    maxAgeMs: maxAge * 1000,
    webhooks: places,
    evidence: evidenceInState(state),
    onLine: (line) => reportLine(line),
  });
  await withInterruption(async (signal) => {
    const server = await serveWatcher({ watcher, ...listen });
    try {
      if (options.json === true) printJson({ schema: "ashlar.watch/v1", url: server.url }, { lines: "one" });
      else printLine(server.url);
      await watcher.run(signal);
    } finally {
      await server.close();
    }
  });
}

async function declare(fleet: string, maxAge: number): Promise<Declared> {
  const { targets, proving } = await declareLive({ fleet, maxAge });
  const { pinsPath, ...options } = proving;
  return { targets, options, pinsPath };
}

async function textOf(path: string, what: string): Promise<string> {
  return (await readNamedFile(path, what)).toString("utf8");
}
