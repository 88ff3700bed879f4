const TOKEN = "[\\w!#$%&'*+.^`|~-]+";
const HEAD = new RegExp(
  `^data:(?:${TOKEN}/${TOKEN})?(?:;${TOKEN}=(?:${TOKEN}|"(?:[^"\\\\]|\\\\.)*"))*(?<base64>;base64)?,`,
  "u",
);

/** What may stand in the data part besides escapes: reserved and unreserved characters of RFC 2396, section 2. */
const DATA = /^(?:[A-Za-z0-9\-_.!~*'();/?:@&=+$,]|%[\dA-Fa-f]{2})*$/u;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/u;

/** What is wrong with a data URL (RFC 2397), if anything. */
export function dataUrlProblem(url: string): string | undefined {
  const head = HEAD.exec(url);
  if (head === null)
    return "expected data:, an optional media type, an optional ;base64 and a comma, found something else";
  const data = url.slice(head[0].length);
  if (head.groups?.["base64"] !== undefined) {
    return BASE64.test(data.replaceAll(/[\r\n]/gu, "")) ? undefined : "expected base64, found something else";
  }
  return DATA.test(data) ? undefined : "expected percent-encoded data, found characters that need encoding";
}
