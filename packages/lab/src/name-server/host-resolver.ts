import { createSocket } from "node:dgram";
import { Resolver } from "node:dns";
import { isIPv6 } from "node:net";
import { answers, type DnsQuery } from "./dns-message.ts";

export type ServerAddress = { readonly address: string; readonly port: number };

export type HostResolverOptions = {
  /** Default: the name servers of this computer, as /etc/resolv.conf has them when they are asked. */
  readonly servers?: () => readonly ServerAddress[];
  /** After this long, a server is not going to answer: less than the 5 s after which systemd-resolved asks again. */
  readonly timeoutMs?: number;
  /** For this long after that, it is not asked. */
  readonly pauseMs?: number;
};

const TIMEOUT_MS = 3000;
const PAUSE_MS = 60_000;

/**
 * The name servers of this computer. Where none answers, as on one without a network, whoever asks is told so at once, and
 * only one question in a while finds out whether that has changed.
 */
export class HostResolver {
  readonly #servers: () => readonly ServerAddress[];
  readonly #timeoutMs: number;
  readonly #pauseMs: number;
  #answeredAt = -Infinity;
  #silentUntil = -Infinity;

  constructor({ servers = hostServers, timeoutMs = TIMEOUT_MS, pauseMs = PAUSE_MS }: HostResolverOptions = {}) {
    this.#servers = servers;
    this.#timeoutMs = timeoutMs;
    this.#pauseMs = pauseMs;
  }

  /** The server to ask; undefined while none answers. */
  get server(): ServerAddress | undefined {
    return performance.now() < this.#silentUntil ? undefined : this.#servers()[0];
  }

  /**
   * Asks all servers, and gives the first answer.
   *
   * @returns "lost" for a question that went unanswered while others were answered, "silent" where none is
   */
  async ask(message: Buffer, query: DnsQuery): Promise<Buffer | "lost" | "silent"> {
    const askedAt = performance.now();
    if (askedAt < this.#silentUntil) return "silent";
    const asked = this.#servers().map(async (server) => await askServer(server, message, query, this.#timeoutMs));
    const answer = await Promise.any(asked).catch(() => undefined);
    if (answer !== undefined) {
      this.#answeredAt = performance.now();
      return answer;
    }
    if (this.#answeredAt > askedAt) return "lost";
    this.#silentUntil = performance.now() + this.#pauseMs;
    return "silent";
  }
}

/** Rejects when there is no answer. The socket has a port of its own, and takes messages from that server alone. */
async function askServer(
  { address, port }: ServerAddress,
  message: Buffer,
  query: DnsQuery,
  timeoutMs: number,
): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  const timer = setTimeout(() => reject(new Error("no answer")), timeoutMs);
  socket.on("error", reject).on("message", (answer) => {
    if (answers(answer, query)) resolve(answer);
  });
  // Not given to connect(), which would call it after an error, too.
  socket.once("connect", () => socket.send(message));
  try {
    socket.connect(port, address);
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}

const DNS_PORT = 53;

function hostServers(): ServerAddress[] {
  return new Resolver().getServers().map((text) => {
    const [, address = text, port] = /^\[(.*)\]:(\d+)$/u.exec(text) ?? /^([\d.]+):(\d+)$/u.exec(text) ?? [];
    return { address, port: port === undefined ? DNS_PORT : Number(port) };
  });
}
