import * as http from "node:http";
import * as https from "node:https";
import { AshlarError, messageOf } from "@ashlar/base";
import type { ByteRange, Patience, Transport } from "./transport.ts";

/** Connections that are kept open and used again. */
const MAX_CONNECTIONS = 4;
const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** What servers answer for a file that is not there; Amazon's S3 says 403 where listing is not allowed. */
const MISSING: ReadonlySet<number> = new Set([403, 404, 410]);

/**
 * A repository behind HTTP. By node:http, since the node's Node.js runs without the compiler that `fetch` needs for its
 * WebAssembly.
 */
export function createHttpTransport(base: URL, patience: Patience): Transport {
  const options = { keepAlive: true, maxSockets: MAX_CONNECTIONS };
  const agents = { "http:": new http.Agent(options), "https:": new https.Agent(options) };

  const request = async (
    url: URL,
    range: ByteRange | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Response> => {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const isSecure = url.protocol === "https:";
    const outgoing = (isSecure ? https : http).request(url, {
      agent: isSecure ? agents["https:"] : agents["http:"],
      headers: {
        "user-agent": "ashlar",
        "accept-encoding": "identity",
        ...(range && { range: `bytes=${range.start}-${range.end - 1}` }),
      },
      ...(signal && { signal }),
    });
    const timer = setTimeout(() => outgoing.destroy(silence(url, patience)), patience.stallMs);
    outgoing.on("response", resolve).on("error", reject).end();
    try {
      return await promise;
    } catch (error) {
      throw unavailable(url, error, signal);
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    url: base.href,
    patience,
    open: async (path, { range, signal }) => {
      let url = new URL(path, base);
      for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
        const response = await request(url, range, signal);
        if (!REDIRECTS.has(response.statusCode ?? 0)) {
          const isWhole = checkAnswer(url, response, range);
          return { isWhole, body: readBody(url, response, patience, signal) };
        }
        response.destroy();
        url = redirectTarget(url, response.headers.location);
      }
      throw new AshlarError(
        "malformed",
        `${new URL(path, base).href}: expected the file, found more than ${MAX_REDIRECTS} redirects`,
      );
    },
  };
}

type Response = http.IncomingMessage;

function redirectTarget(url: URL, location: string | undefined): URL {
  const target = location === undefined ? null : URL.parse(location, url.href);
  const isAllowed = target?.protocol === "https:" || (target?.protocol === "http:" && url.protocol === "http:");
  if (target !== null && isAllowed) return target;
  throw new AshlarError(
    "malformed",
    `${url.href}: expected a redirect to HTTP, found ${(location ?? "none").slice(0, 200)}`,
  );
}

/** Whether the answer is the whole file; throws when it is not what was asked for. */
function checkAnswer(url: URL, response: Response, range: ByteRange | undefined): boolean {
  const { statusCode = 0, headers } = response;
  const refuse = (code: "not-found" | "unavailable" | "malformed" | "failed", message: string): never => {
    response.destroy();
    throw new AshlarError(code, `${url.href}: ${message}`);
  };
  if (MISSING.has(statusCode)) return refuse("not-found", `the server has no such file (status ${statusCode})`);
  if (statusCode >= 500 || statusCode === 408 || statusCode === 429) {
    return refuse("unavailable", `the server answers with status ${statusCode}`);
  }
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity")
    return refuse("malformed", `expected a body without Content-Encoding, found ${encoding}`);
  if (statusCode === 200) return true;
  if (range === undefined || statusCode !== 206)
    return refuse("failed", `the server answers with status ${statusCode}`);
  const expected = `bytes ${range.start}-${range.end - 1}/`;
  const found = headers["content-range"] ?? "none";
  if (found.startsWith(expected)) return false;
  return refuse("malformed", `expected Content-Range ${expected}..., found ${found.slice(0, 100)}`);
}

/** The body as it comes; its time runs while this waits, not while the reader is busy or held back. */
async function* readBody(
  url: URL,
  response: Response,
  patience: Patience,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let [waitedMs, waitedBytes] = [0, 0];
  let since = performance.now();
  const startTimer = (): NodeJS.Timeout => setTimeout(() => response.destroy(silence(url, patience)), patience.stallMs);
  let timer = startTimer();
  try {
    const chunks: AsyncIterable<Buffer> = response;
    for await (const bytes of chunks) {
      clearTimeout(timer);
      waitedMs += performance.now() - since;
      waitedBytes += bytes.length;
      if (waitedMs > patience.stallMs) {
        if (waitedBytes < waitedMs) throw silence(url, patience);
        [waitedMs, waitedBytes] = [0, 0];
      }
      yield bytes;
      since = performance.now();
      timer = startTimer();
    }
  } catch (error) {
    throw unavailable(url, error, signal);
  } finally {
    clearTimeout(timer);
  }
}

function silence(url: URL, { stallMs }: Patience): AshlarError {
  return new AshlarError(
    "unavailable",
    `${url.href}: the server sends too slowly: less than 1 kB/s for ${stallMs / 1000} s`,
  );
}

/** What is not said otherwise is the network's fault: refused, reset, cut short, no such name. */
function unavailable(url: URL, error: unknown, signal: AbortSignal | undefined): AshlarError {
  if (error instanceof AshlarError) return error;
  if (signal?.aborted === true) return new AshlarError("interrupted", `${url.href}: interrupted`);
  return new AshlarError("unavailable", `${url.href}: ${messageOf(error) || "no connection"}`, { cause: error });
}
