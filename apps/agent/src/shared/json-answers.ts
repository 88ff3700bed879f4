import type { IncomingMessage, ServerResponse } from "node:http";
import { type AshlarError, messageOf } from "@ashlar/base";
import { readBody } from "@ashlar/host";
import { reportText } from "@ashlar/host/terminal";
import { MAX_REQUEST_BYTES } from "@ashlar/protocol";
import { Refusal } from "./refusal.ts";

export type Method = "GET" | "POST";

/** The handler gets the request's body. It answers with status 200 or, when work goes on, 202. */
export type Route = {
  readonly handle: (body: string) => Promise<object>;
  readonly status?: 200 | 202;
};

export type Methods = Partial<Readonly<Record<Method, Route>>>;

/** Path to method to route. */
export type Routes = ReadonlyMap<string, Methods>;

/** Who asks takes silence for a dead node (`SILENCE_MS` in @ashlar/verifier), and a loaded one takes minutes for what is a second elsewhere. */
const STILL_WORKING_MS = 15_000;

/**
 * A request listener that answers `routes` in JSON, and says 102 Processing (RFC 2518, 10.1) until it has the answer. Whatever goes wrong is answered with `{error: {code, message}}`.
 *
 * `unit`: whose journal has the details that the outside does not learn.
 */
export function jsonAnswers(
  routes: Routes,
  unit: string,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => void answer(routes, unit, request, response);
}

async function answer(routes: Routes, unit: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const stillWorking = setInterval(() => {
    if (!response.destroyed && !response.headersSent) response.writeProcessing();
  }, STILL_WORKING_MS);
  try {
    const route = findRoute(routes, request);
    const body = await bodyOf(request);
    send(response, route.status ?? 200, await route.handle(body), {});
  } catch (error) {
    const refusal = error instanceof Refusal ? error : internalFailure(error, unit);
    const retryAfter = refusal.retryAfterSeconds;
    send(response, refusal.status, errorBody(refusal), {
      ...refusal.headers,
      ...(retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) }),
      // What is left of a refused body is not worth reading.
      ...(request.complete ? {} : { Connection: "close" }),
    });
  } finally {
    clearInterval(stillWorking);
  }
}

function findRoute(routes: Routes, request: IncomingMessage): Route {
  const methods = routes.get(request.url ?? "");
  if (methods === undefined) {
    throw new Refusal(404, "not-found", `expected one of ${[...routes.keys()].join(", ")}`);
  }
  const route = new Map(Object.entries(methods)).get(request.method ?? "");
  if (route === undefined) {
    const allowed = Object.keys(methods).join(", ");
    throw new Refusal(405, "method-not-allowed", `expected ${allowed}`, { headers: { Allow: allowed } });
  }
  return route;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const bytes = await readBody(request, MAX_REQUEST_BYTES);
  if (bytes !== undefined) return bytes.toString("utf8");
  throw new Refusal(413, "limit", `expected a body of at most ${MAX_REQUEST_BYTES} bytes, found more`);
}

function send(response: ServerResponse, status: number, body: object, headers: Readonly<Record<string, string>>): void {
  // The client may be gone by now.
  if (response.destroyed || response.headersSent) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(text),
    "Cache-Control": "no-store",
    ...headers,
  });
  response.end(text);
}

/** The journal gets what happened; the outside learns only that it did. */
function internalFailure(error: unknown, unit: string): Refusal {
  reportText(`request failed: ${messageOf(error)}`);
  return new Refusal(500, "failed", `the node could not do it; its journal says why (${unit})`);
}

export function errorBody({ code, message, hint }: Pick<Refusal, "code" | "message" | "hint">): object {
  return { error: { code, message, ...(hint === undefined ? {} : { hint }) } };
}

/** An expected failure whose message may go out. */
export function refusalOf(error: AshlarError, status: number): Refusal {
  return new Refusal(status, error.code, error.message, error.hint === undefined ? {} : { hint: error.hint });
}
