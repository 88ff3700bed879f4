/** For tests: a static server on 127.0.0.1 that does as it is told. */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";

export type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Without the leading slash. */
  readonly path: string;
  readonly range: { readonly start: number; readonly end: number } | undefined;
  /** How many requests came for the same path before this one. */
  readonly earlier: number;
  /** Answers as a good server does; with other bytes of the file, if given. */
  readonly serve: (file?: Buffer) => Promise<void>;
};

/** What to do with each request. Default: serve it. */
export type Behaviour = (exchange: Exchange) => Promise<void> | void;

export async function withServer(
  directory: string,
  behave: Behaviour,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? "/").slice(1));
    const earlier = counts.get(path) ?? 0;
    counts.set(path, earlier + 1);
    const [, start, end] = /^bytes=(\d+)-(\d+)$/u.exec(request.headers.range ?? "") ?? [];
    const range = start === undefined ? undefined : { start: Number(start), end: Number(end) + 1 };
    const serve = async (file?: Buffer): Promise<void> => {
      const bytes = file ?? (await readFile(join(directory, path)).catch(() => undefined));
      if (bytes === undefined) response.writeHead(404).end();
      else if (range === undefined) response.writeHead(200, { "content-length": bytes.length }).end(bytes);
      else {
        const part = bytes.subarray(range.start, range.end);
        response.writeHead(206, {
          "content-length": part.length,
          "content-range": `bytes ${range.start}-${range.end - 1}/${bytes.length}`,
        });
        response.end(part);
      }
    };
    void behave({ request, response, path, range, earlier, serve });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  try {
    const address = server.address();
    if (address === null || typeof address === "string") throw new TypeError("expected a TCP server's address");
    await work(`http://127.0.0.1:${address.port}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
