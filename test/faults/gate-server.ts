/** Answers as Prometheus and a webhook do, over HTTP: what gates ask. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

export class GateAnswers implements AsyncDisposable {
  /** What the query gives; undefined: nothing is answered at all. */
  value: string | undefined = "0";
  /** The status of the webhook, and its text. */
  webhook: readonly [status: number, text: string] = [200, ""];
  /** What the webhook was told. */
  readonly told: { readonly gate: string; readonly point: string; readonly wave: string | null }[] = [];
  readonly queries: string[] = [];
  readonly #server: Server;
  readonly url: string;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async start(token: string): Promise<GateAnswers> {
    const server = createServer((request, response) => {
      if (request.headers.authorization === `Bearer ${token}`) void made.#answer(request, response);
      else response.writeHead(401).end("no token");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const made = new GateAnswers(server, `http://127.0.0.1:${port}`);
    return made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await request.toArray()).join("");
    if (request.url !== "/api/v1/query") {
      this.told.push(JSON.parse(body));
      response.writeHead(this.webhook[0]).end(this.webhook[1]);
      return;
    }
    this.queries.push(new URLSearchParams(body).get("query") ?? "");
    if (this.value === undefined) return;
    const result = [{ metric: {}, value: [Date.now() / 1000, this.value] }];
    response.end(JSON.stringify({ status: "success", data: { resultType: "vector", result } }));
  }
}
