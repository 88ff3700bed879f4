import type { Received } from "./server-clock.ts";

/** From the URL that was opened. It is kept nowhere else. */
const TOKEN = new URLSearchParams(location.search).get("token") ?? "";

export class RequestFailure extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const TIMEOUT_MS = 20_000;

type Answer<Document> = {
  readonly document: Document;
  readonly received: Received;
  readonly etag: string | undefined;
};

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- who asks for a path knows what is answered there
/** @returns undefined when nothing has changed since the answer with this etag */
export async function ask<Document extends { readonly at: string }>(
  path: string,
  etag?: string,
): Promise<Answer<Document> | undefined> {
  // Before the answer: what is in it is never younger than it looks.
  const before = { monotonicMs: performance.now(), wallMs: Date.now() };
  const response = await send(path, etag === undefined ? {} : { "if-none-match": etag });
  if (response.status === 304) return undefined;
  const document: Document = await response.json();
  const received = { serverMs: Date.parse(document.at), ...before };
  return { document, received, etag: response.headers.get("etag") ?? undefined };
}

/** The bytes of a file, for the user to keep. */
export async function download(path: string, name: string): Promise<void> {
  const response = await send(path, {});
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), TIMEOUT_MS);
}

async function send(path: string, headers: Readonly<Record<string, string>>): Promise<Response> {
  const response = await fetch(path, {
    headers: { ...headers, authorization: `Bearer ${TOKEN}` },
    cache: "no-store",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.ok || response.status === 304) return response;
  throw new RequestFailure(response.status, `${response.status}: ${(await response.text()).trim()}`);
}
