import { AshlarError, messageOf } from "@ashlar/base";
import { issuerUrlsOf } from "@ashlar/formats";
import { makerCertificates, type ParsedCertificate } from "@ashlar/identity";

/** Makers' chains have up to three certificates between an EK's and a root. */
const MAX_FETCHED = 4;
const MAX_URLS = 2;
const MAX_ANSWER_BYTES = 64 * 1024;
const TIMEOUT_MS = 10_000;

/**
 * The certificates that lead up from one, from the places that they themselves name (RFC 5280, 4.2.2.1, caIssuers). They
 * need no trust: a chain holds by its signatures. What cannot be had is told and left out.
 *
 * @param onProblem told in a sentence why there are not more
 */
export async function fetchIntermediates(
  certificate: ParsedCertificate,
  onProblem: (message: string) => void,
  signal?: AbortSignal,
): Promise<readonly ParsedCertificate[]> {
  const found: ParsedCertificate[] = [];
  let last = certificate;
  while (found.length < MAX_FETCHED) {
    const issuer = await fetchFirst(issuerUrlsOf(last.fields.extensions).slice(0, MAX_URLS), onProblem, signal);
    if (issuer === undefined || issuer.x509.raw.equals(last.x509.raw)) break;
    found.push(issuer);
    last = issuer;
  }
  return found;
}

async function fetchFirst(
  urls: readonly string[],
  onProblem: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<ParsedCertificate | undefined> {
  for (const url of urls) {
    try {
      return makerCertificates(await fetchLimited(url, signal), url)[0];
    } catch (error) {
      if (signal?.aborted === true) throw new AshlarError("interrupted", "interrupted");
      onProblem(`${url}: no certificate: ${messageOf(error)}`);
    }
  }
  return undefined;
}

async function fetchLimited(url: string, signal: AbortSignal | undefined): Promise<Buffer> {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !["http:", "https:"].includes(parsed.protocol) || parsed.username !== "") {
    throw new AshlarError("invalid", "expected an http or https URL");
  }
  const signals = [AbortSignal.timeout(TIMEOUT_MS), signal].filter((each) => each !== undefined);
  const response = await fetch(parsed, { signal: AbortSignal.any(signals), credentials: "omit" });
  if (!response.ok) throw new AshlarError("unavailable", `expected status 200, found ${response.status}`);
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body ?? []) {
    size += piece.length;
    if (size > MAX_ANSWER_BYTES)
      throw new AshlarError("limit", `expected at most ${MAX_ANSWER_BYTES} bytes, found more`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
