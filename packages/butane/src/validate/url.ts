/** The parts of a URL that Ignition looks at. */
export type SplitUrl = {
  /** In lower case; empty for a relative reference. */
  readonly scheme: string;
  /** The part between `?` and `#`. */
  readonly query: string;
};

const BAD_ESCAPE = /%(?![\da-f]{2})/iu;
const CONTROL = /(?![\u0080-\u009f])\p{Cc}/u;
const PORT = /^(?::\d*)?$/u;
const USER = /^[\w\-.:~!$&'()*+,;=%@]*$/u;
/** What a host may contain as it is; other characters below U+0080 are refused. */
const HOST = /^(?:[\w\-.~!$&'()*+,;=:[\]<>"\u0080-\u{10ffff}]|%25|%[89a-f][\da-f])*$/iu;

/**
 * Splits a URL, or returns nothing where Go's `net/url`, and so Ignition, could not: it is stricter about escapes and ports
 * than browsers and more lenient about the rest.
 */
export function splitUrl(url: string): SplitUrl | undefined {
  if (CONTROL.test(url)) return undefined;
  const hash = url.indexOf("#");
  const [base, fragment] = hash < 0 ? [url, ""] : [url.slice(0, hash), url.slice(hash + 1)];
  if (BAD_ESCAPE.test(fragment) || base.startsWith(":")) return undefined;
  const scheme = /^(?<scheme>[a-z][a-z\d+\-.]*):/iu.exec(base)?.groups?.["scheme"] ?? "";
  const rest = scheme === "" ? base : base.slice(scheme.length + 1);
  const question = rest.indexOf("?");
  const [hierarchy, query] = question < 0 ? [rest, ""] : [rest.slice(0, question), rest.slice(question + 1)];
  return isHierarchy(hierarchy, scheme !== "") ? { scheme: scheme.toLowerCase(), query } : undefined;
}

function isHierarchy(text: string, hasScheme: boolean): boolean {
  if (!text.startsWith("/")) {
    // Behind a scheme anything may follow; without one a colon would look like one.
    if (hasScheme) return true;
    return !(text.split("/", 1)[0] ?? "").includes(":") && !BAD_ESCAPE.test(text);
  }
  if (!text.startsWith("//") || (!hasScheme && text.startsWith("///"))) return !BAD_ESCAPE.test(text);
  const slash = text.indexOf("/", 2);
  const [authority, path] = slash < 0 ? [text.slice(2), ""] : [text.slice(2, slash), text.slice(slash)];
  return isAuthority(authority) && !BAD_ESCAPE.test(path);
}

function isAuthority(authority: string): boolean {
  const at = authority.lastIndexOf("@");
  const user = at < 0 ? "" : authority.slice(0, at);
  if (!USER.test(user) || BAD_ESCAPE.test(user)) return false;
  const host = authority.slice(at + 1);
  if (host.startsWith("[")) {
    const bracket = host.lastIndexOf("]");
    return bracket > 0 && PORT.test(host.slice(bracket + 1)) && HOST.test(host.slice(1, bracket));
  }
  const colon = host.lastIndexOf(":");
  return (colon < 0 || PORT.test(host.slice(colon))) && HOST.test(host);
}

/** What is wrong with a URL, if it is not one with one of these schemes. */
export function schemeProblem(url: string, schemes: readonly string[]): string | undefined {
  const parts = splitUrl(url);
  if (parts === undefined) return `expected a URL, found ${url}`;
  if (schemes.includes(parts.scheme)) return undefined;
  const found = parts.scheme === "" ? (url === "" ? "none" : "one without scheme") : `one with ${parts.scheme}:`;
  return `expected a URL with ${new Intl.ListFormat("en", { type: "disjunction" }).format(schemes)}, found ${found}`;
}
