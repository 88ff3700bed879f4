import { useEffect, useState } from "react";
import { ask, RequestFailure } from "./api.ts";
import { serverNow, type Received } from "./server-clock.ts";

export type Fetched<Document> = {
  readonly document: Document | undefined;
  readonly received: Received | undefined;
  /** Why the last question had no answer; undefined when it had one. */
  readonly problem: string | undefined;
};

const POLL_MS = 5000;

/** A document of the server, asked for again and again while it is shown. The last answer stays when the server goes, and gets older. */
export function useDocument<Document extends { readonly at: string }>(path: string): Fetched<Document> {
  const [state, setState] = useState<Fetched<Document> & { readonly path: string }>({ ...NOTHING, path });
  useEffect(() => {
    let isOver = false;
    let etag: string | undefined;
    let timer: number | undefined;
    const look = async (): Promise<void> => {
      try {
        const answer = await ask<Document>(path, etag);
        if (isOver) return;
        if (answer !== undefined) {
          ({ etag } = answer);
          setState({ document: answer.document, received: answer.received, problem: undefined, path });
        } else setState((last) => (last.problem === undefined ? last : { ...last, problem: undefined }));
      } catch (error) {
        if (isOver) return;
        const problem = error instanceof RequestFailure ? error.message : "the console does not answer";
        setState((last) => ({ ...(last.path === path ? last : { ...NOTHING, path }), problem }));
      }
      timer = window.setTimeout(() => void look(), POLL_MS);
    };
    void look();
    return () => {
      isOver = true;
      window.clearTimeout(timer);
    };
  }, [path]);
  return state.path === path ? state : NOTHING;
}

const NOTHING = { document: undefined, received: undefined, problem: undefined } as const;

/** What the server's clock says, every some seconds anew; undefined before there was an answer. */
export function useServerNow(received: Received | undefined, everyMs: number): number | undefined {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => tick((count) => count + 1), everyMs);
    return () => window.clearInterval(timer);
  }, [everyMs]);
  return received === undefined ? undefined : serverNow(received, performance.now(), Date.now());
}
