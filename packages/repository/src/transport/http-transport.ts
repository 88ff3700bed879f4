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

export type Access = {
  /** `user:password`, told to the repository's own host only. */
  readonly credentials: string | undefined;
  /** Origins beside the repository's own that it may send us to. */
  readonly redirectsTo: readonly string[];
};

/**
 * A repository behind HTTP. Others may read our messages: they name the file that was asked for, and nothing of the
 * answer or of where a redirect has led. By node:http, since the node's Node.js runs without the compiler that `fetch` needs for its
 * WebAssembly.
 */
export function createHttpTransport(base: URL, patience: Patience, access: Access): Transport {
  const options = { keepAlive: true, maxSockets: MAX_CONNECTIONS };
  const agents = { "http:": new http.Agent(options), "https:": new https.Agent(options) };

  const request = async (
    where: string,
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
      ...(access.credentials !== undefined && isAtHome(base, url) && { auth: access.credentials }),
      ...(signal && { signal }),
    });
    const timer = setTimeout(() => outgoing.destroy(silence(where, patience)), patience.stallMs);
    outgoing.on("response", resolve).on("error", reject).end();
    try {
      return await promise;
    } catch (error) {
      throw unavailable(where, error, signal);
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    url: base.href,
    patience,
    open: async (path, { range, signal }) => {
      let url = new URL(path, base);
      const where = url.href;
      for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
        const response = await request(where, url, range, signal);
        if (!REDIRECTS.has(response.statusCode ?? 0)) {
          const isWhole = checkAnswer(where, response, range);
          return { isWhole, body: readBody(where, response, patience, signal) };
        }
        response.destroy();
        url = redirectTarget(where, { base, url, location: response.headers.location, access });
      }
      throw new AshlarError("malformed", `${where}: expected the file, found more than ${MAX_REDIRECTS} redirects`);
    },
  };
}

type Response = http.IncomingMessage;

type Redirect = {
  readonly base: URL;
  readonly url: URL;
  readonly location: string | undefined;
  readonly access: Access;
};

/** A server must not be able to send us to addresses that only this machine reaches. */
function redirectTarget(where: string, { base, url, location, access }: Redirect): URL {
  const target = location === undefined ? null : URL.parse(location, url.href);
  const isSafe = target?.protocol === "https:" || (target?.protocol === "http:" && url.protocol === "http:");
  if (target === null || !isSafe) throw new AshlarError("malformed", `${where}: expected a redirect to HTTP`);
  target.username = "";
  target.password = "";
  if (isAtHome(base, target) || access.redirectsTo.includes(target.origin)) return target;
  throw new AshlarError("malformed", `${where}: expected a redirect within ${base.origin}, found ${target.origin}`, {
    hint: `on a node, \`redirectsTo: [${target.origin}]\` in update.yaml allows it`,
  });
}

/** The repository's own origin (RFC 6454), or the same host's with TLS instead of without. */
function isAtHome(base: URL, url: URL): boolean {
  return url.origin === base.origin || url.origin === `https://${base.hostname}`;
}

/** Whether the answer is the whole file; throws when it is not what was asked for. */
function checkAnswer(where: string, response: Response, range: ByteRange | undefined): boolean {
  const { statusCode = 0, headers } = response;
  const refuse = (code: "not-found" | "unavailable" | "malformed" | "failed", message: string): never => {
    response.destroy();
    throw new AshlarError(code, `${where}: ${message}`);
  };
  if (MISSING.has(statusCode)) return refuse("not-found", `the server has no such file (status ${statusCode})`);
  if (statusCode >= 500 || statusCode === 408 || statusCode === 429) {
    return refuse("unavailable", `the server answers with status ${statusCode}`);
  }
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") return refuse("malformed", "expected a body without Content-Encoding, found one");
  if (statusCode === 200) return true;
  if (range === undefined || statusCode !== 206)
    return refuse("failed", `the server answers with status ${statusCode}`);
  const expected = `bytes ${range.start}-${range.end - 1}/`;
  const found = headers["content-range"] ?? "none";
  if (found.startsWith(expected)) return false;
  return refuse("malformed", `expected Content-Range ${expected}..., found another`);
}

/** The body as it comes; its time runs while this waits, not while the reader is busy or held back. */
async function* readBody(
  where: string,
  response: Response,
  patience: Patience,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let [waitedMs, waitedBytes] = [0, 0];
  let since = performance.now();
  const startTimer = (): NodeJS.Timeout =>
    setTimeout(() => response.destroy(silence(where, patience)), patience.stallMs);
  let timer = startTimer();
  try {
    const chunks: AsyncIterable<Buffer> = response;
    for await (const bytes of chunks) {
      clearTimeout(timer);
      waitedMs += performance.now() - since;
      waitedBytes += bytes.length;
      if (waitedMs > patience.stallMs) {
        if (waitedBytes < waitedMs) throw silence(where, patience);
        [waitedMs, waitedBytes] = [0, 0];
      }
      yield bytes;
      since = performance.now();
      timer = startTimer();
    }
  } catch (error) {
    throw unavailable(where, error, signal);
  } finally {
    clearTimeout(timer);
  }
}

function silence(where: string, { stallMs }: Patience): AshlarError {
  return new AshlarError(
    "unavailable",
    `${where}: the server sends too slowly: less than 1 kB/s for ${stallMs / 1000} s`,
  );
}

/** What is not said otherwise is the network's fault: refused, reset, cut short, no such name. */
function unavailable(where: string, error: unknown, signal: AbortSignal | undefined): AshlarError {
  if (error instanceof AshlarError) return error;
  if (signal?.aborted === true) return new AshlarError("interrupted", `${where}: interrupted`);
  return new AshlarError("unavailable", `${where}: ${messageOf(error) || "no connection"}`, { cause: error });
}
