import { AshlarError, SHA256_HEX } from "@ashlar/base";
import { compareDebianVersions } from "../versions/debian-version.ts";
import { compareGoVersions } from "../versions/go-version.ts";

export type Operator = "<" | "<=" | "=" | ">=" | ">";
export type Condition = { readonly operator: Operator; readonly version: string };

/** What somebody wants to know of each node: does it have this? */
export type Question =
  | { readonly kind: "package"; readonly name: string; readonly condition?: Condition }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "digest"; readonly sha256: string }
  | { readonly kind: "extension"; readonly name: string; readonly condition?: Condition }
  /** A Go module, or a package of Go's own library, in an extension. */
  | { readonly kind: "module"; readonly path: string; readonly condition?: Condition };

const MAX_CHARACTERS = 1024;
/** Debian Policy, 7.1, has `<<` and `>>` for what is earlier and later. */
const OPERATORS: Readonly<Record<string, Operator>> = {
  "<": "<",
  "<<": "<",
  "<=": "<=",
  "=": "=",
  "==": "=",
  ">=": ">=",
  ">": ">",
  ">>": ">",
};
const NAMED = /^\s*(?<name>[^\s<>=@]+)\s*(?:(?<operator><<|<=|<|==|=|>=|>>|>)\s*(?<version>[^\s<>=]+))?\s*$/u;

/** `openssl`, or `openssl < 3.5.4-1~deb13u2`. @throws AshlarError `usage` */
export function parsePackageQuestion(text: string): Question {
  const { name, condition } = parseNamed(text, "a package such as 'openssl < 3.5.4-1~deb13u2'");
  // Debian Policy, 5.6.7.
  if (!/^[a-z0-9][a-z0-9.+-]+$/u.test(name)) throw expected("the name of a Debian package", name);
  refuseWithoutOrder(condition, compareDebianVersions, "a Debian version");
  return { kind: "package", name, ...condition };
}

/** `kubernetes < v1.33.5`. @throws AshlarError `usage` */
export function parseExtensionQuestion(text: string): Question {
  const { name, condition } = parseNamed(text, "an extension such as 'kubernetes < v1.33.5'");
  return { kind: "extension", name, ...condition };
}

/** `golang.org/x/net < v0.38.0`, or `crypto/tls@go1.24.6` for exactly that version. @throws AshlarError `usage` */
export function parseModuleQuestion(text: string): Question {
  const { path, exact } =
    /^(?<path>[^\s<>=@]+)@(?<exact>[^\s<>=@]+)$/u.exec(text.slice(0, MAX_CHARACTERS))?.groups ?? {};
  const { name, condition } =
    path !== undefined && exact !== undefined
      ? { name: path, condition: { condition: { operator: "=", version: exact } } as const }
      : parseNamed(text, "a Go module such as crypto/tls@go1.24.6 or 'golang.org/x/net < v0.38.0'");
  refuseWithoutOrder(condition, compareGoVersions, "a version such as v0.38.0 or go1.24.6");
  return { kind: "module", path: name, ...condition };
}

/** A path of what is measured. `/bin` and its like lead into /usr on a node. @throws AshlarError `usage` */
export function parseFileQuestion(text: string): Question {
  const path = text.replace(/^\/(?=(?:bin|sbin|lib|lib64)\/)/u, "/usr/");
  if (/^\/(?:usr|opt|etc)\/./u.test(path) && !/\/\.{0,2}(?:\/|$)/u.test(path.slice(1)) && path.length <= MAX_CHARACTERS)
    return { kind: "file", path };
  throw expected("a path below /usr, /opt or /etc, which are measured", text);
}

/** `sha256:` and 64 hexadecimal digits, or the digits alone. @throws AshlarError `usage` */
export function parseDigestQuestion(text: string): Question {
  const sha256 = text.replace(/^sha256:/u, "").toLowerCase();
  if (SHA256_HEX.test(sha256)) return { kind: "digest", sha256 };
  throw expected("a SHA-256 digest as sha256:... in hexadecimal", text);
}

/** As people write it. */
export function questionText(question: Question): string {
  switch (question.kind) {
    case "package":
      return `package ${question.name}${conditionText(question.condition)}`;
    case "file":
      return `file ${question.path}`;
    case "digest":
      return `sha256:${question.sha256}`;
    case "extension":
      return `extension ${question.name}${conditionText(question.condition)}`;
    case "module":
    default:
      return `Go module ${question.path}${conditionText(question.condition)} in an extension`;
  }
}

function conditionText(condition: Condition | undefined): string {
  return condition === undefined ? "" : ` ${condition.operator} ${condition.version}`;
}

function parseNamed(
  text: string,
  what: string,
): { readonly name: string; readonly condition: { condition?: Condition } } {
  const groups = text.length > MAX_CHARACTERS ? undefined : NAMED.exec(text)?.groups;
  if (groups === undefined) throw expected(what, text);
  const { name = "", operator = "", version } = groups;
  const known = OPERATORS[operator];
  return {
    name,
    condition: known === undefined || version === undefined ? {} : { condition: { operator: known, version } },
  };
}

function refuseWithoutOrder(
  { condition }: { readonly condition?: Condition },
  compare: (a: string, b: string) => number | undefined,
  what: string,
): void {
  if (condition !== undefined && compare(condition.version, condition.version) === undefined)
    throw expected(what, condition.version);
}

function expected(what: string, found: string): AshlarError {
  return new AshlarError("usage", `expected ${what}, found ${JSON.stringify(found.slice(0, MAX_SHOWN))}`);
}

const MAX_SHOWN = 100;
