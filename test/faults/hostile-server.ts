import { once } from "node:events";
import { open } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Lab } from "@ashlar/lab";

export type Exchange = {
  /** Without the leading slash. */
  readonly path: string;
  /** What is asked for; `end` is the first byte that is not. */
  readonly range: { readonly start: number; readonly end: number } | undefined;
  readonly response: ServerResponse;
  /** How many requests came for the same path before this one. */
  readonly earlier: number;
  /** Answers as a good server does, with the file at another path if that is given. */
  readonly serve: (path?: string) => Promise<void>;
};

/** What to do with a request. */
export type Behaviour = (exchange: Exchange) => Promise<void> | void;

export const honest: Behaviour = async ({ serve }) => await serve();

/** Answers for some files of the repository in another way. */
export function instead(suffix: string, behave: Behaviour): Behaviour {
  return async (exchange) => await (exchange.path.endsWith(suffix) ? behave(exchange) : exchange.serve());
}

/** A web server for a repository that does as it is told. It takes the place of the lab's own. */
export class HostileServer {
  readonly #directory: string;
  readonly #port: number;
  #server: Server | undefined;
  /** What was asked for since the start. */
  readonly requests: Pick<Exchange, "path" | "range">[] = [];

  constructor(directory: string, port: number) {
    this.#directory = directory;
    this.#port = port;
  }

  /** Where the lab's nodes look for their repository, which the lab serves no more. */
  static async inPlaceOf(lab: Lab, directory: string): Promise<HostileServer> {
    const { repository } = lab;
    if (repository === undefined) throw new TypeError("expected a lab with a repository");
    await lab.stopRepository();
    return new HostileServer(directory, repository.port);
  }

  async start(behave: Behaviour): Promise<void> {
    await this.stop();
    this.requests.length = 0;
    const server = createServer((request, response) => {
      const path = decodeURIComponent(request.url ?? "/").slice(1);
      const [, start, end] = /^bytes=(\d+)-(\d+)$/u.exec(request.headers.range ?? "") ?? [];
      const range = start === undefined ? undefined : { start: Number(start), end: Number(end) + 1 };
      const earlier = this.requests.filter((each) => each.path === path).length;
      this.requests.push({ path, range });
      const serve = async (other = path): Promise<void> => await this.#serve(other, range, response);
      Promise.resolve(behave({ path, range, response, earlier, serve })).catch(() => response.destroy());
    });
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#server = server;
  }

  /** Also cuts the connections that there are. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  }

  async #serve(path: string, range: Exchange["range"], response: ServerResponse): Promise<void> {
    const file = await open(join(this.#directory, path), "r").catch(() => undefined);
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    const { size } = await file.stat();
    const { start, end } = range ?? { start: 0, end: size };
    response.writeHead(range === undefined ? 200 : 206, {
      "content-length": end - start,
      ...(range === undefined ? {} : { "content-range": `bytes ${start}-${end - 1}/${size}` }),
    });
    await pipeline(file.createReadStream({ start, end: end - 1 }), response);
  }
}
