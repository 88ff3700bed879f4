import { compareVersions } from "@ashlar/formats";
import type { Level } from "@ashlar/identity";
import { titleOf, type Part } from "../contents/contents.ts";
import { debianPackages, debianPurl, GO_LIBRARY, goModules, sourceOf } from "../contents/packages.ts";
import { compareDebianVersions } from "../versions/debian-version.ts";
import { compareGoVersions } from "../versions/go-version.ts";
import type { Condition, Operator, Question } from "./question.ts";

/** `unknown` is everything that is not proved: a node's silence as well as a manifest that nobody has. */
export type AnswerKind = "has" | "has-not" | "unknown";

/** What was found of what was asked for, and in which part of the node. */
export type Finding = {
  readonly what: string;
  readonly version: string | null;
  /** "release 1.0.0", "sysext kubernetes v1.33.4" */
  readonly in: string;
  readonly purl?: string;
};

export type Answer = {
  readonly answer: AnswerKind;
  /** Empty unless it has. */
  readonly findings: readonly Finding[];
  /** Why it is not known. */
  readonly reasons: readonly string[];
};

/** What is known of one part. */
export type PartAnswer = { readonly findings: readonly Finding[]; readonly gap?: string };

/** What one part of a node says; only a part without a gap says that something is not there. */
export function joinParts(parts: readonly Part[], ask: (part: Part) => PartAnswer): Answer {
  const answers = parts.map((part) => ({ part, ...ask(part) }));
  const findings = answers.flatMap((each) => each.findings);
  if (findings.length > 0) return { answer: "has", findings, reasons: [] };
  const reasons = answers.flatMap(({ part, gap }) => (gap === undefined ? [] : [`${titleOf(part)}: ${gap}`]));
  return { answer: reasons.length === 0 ? "has-not" : "unknown", findings, reasons };
}

/** Of a node that is not proven nothing is known, whatever it says. */
export function answerOfLevel(level: Level): Answer | undefined {
  return level === "proven"
    ? undefined
    : { answer: "unknown", findings: [], reasons: [`the node is ${level}, not proven`] };
}

/** Whether what a proven node runs has what is asked for. */
export function answerQuestion(question: Question, parts: readonly Part[]): Answer {
  switch (question.kind) {
    case "package":
      return joinParts(parts, (part) => askPackage(question, part));
    case "file":
      return joinParts(parts, (part) => askFile(question, part));
    case "digest":
      return joinParts(parts, (part) => askDigest(question, part));
    case "extension":
      return joinParts(parts, (part) => askExtension(question, part));
    case "module":
    default:
      return joinParts(parts, (part) => askModule(question, part));
  }
}

const NO_MANIFEST = "no manifest of it is known: name its repository (--releases) or its files (--image, --extension)";

function askPackage({ name, condition }: Question & { readonly kind: "package" }, part: Part): PartAnswer {
  const packages = debianPackages(part);
  if (packages === undefined)
    return {
      findings: [],
      gap: part.inside === undefined ? NO_MANIFEST : "it does not say of which packages it was made",
    };
  const findings: Finding[] = [];
  const gaps: string[] = [];
  for (const each of packages) {
    const source = sourceOf(each);
    if (source === undefined) gaps.push("its manifest, by an earlier Ashlar, does not name source packages");
    const version = each.name === name ? each.version : source?.name === name ? source.version : undefined;
    if (version === undefined) continue;
    const holds =
      condition === undefined || meets(compareDebianVersions(version, condition.version), condition.operator);
    if (holds === undefined) gaps.push(noOrder(version, condition));
    if (holds === true)
      findings.push({ what: each.name, version: each.version, in: titleOf(part), purl: debianPurl(each) });
  }
  const [gap] = gaps;
  return { findings, ...(gap === undefined ? {} : { gap }) };
}

function askFile({ path }: Question & { readonly kind: "file" }, part: Part): PartAnswer {
  const { kind, inside } = part;
  if (inside === undefined) return { findings: [], gap: NO_MANIFEST };
  const file = inside.files.find((each) => each.path === path);
  if (file !== undefined) {
    const version = file.type === "file" ? `sha256:${file.sha256}` : `a link to ${file.target}`;
    return { findings: [{ what: path, version, in: titleOf(part) }] };
  }
  const isOpen = kind === "release" && path.startsWith("/etc/");
  return { findings: [], ...(isOpen ? { gap: "its configuration writes to /etc, too, which no manifest lists" } : {}) };
}

function askDigest({ sha256 }: Question & { readonly kind: "digest" }, part: Part): PartAnswer {
  const { inside } = part;
  if (inside === undefined) return { findings: [], gap: NO_MANIFEST };
  const files = inside.files.flatMap((file) => (file.type === "file" && file.sha256 === sha256 ? [file.path] : []));
  const whole = inside.digests.flatMap(([digest, of]) => (digest === sha256 ? [of] : []));
  return { findings: [...files, ...whole].map((what) => ({ what, version: null, in: titleOf(part) })) };
}

/** Which extensions are merged is measured: no manifest is needed, only who has published that root hash. */
function askExtension({ name, condition }: Question & { readonly kind: "extension" }, part: Part): PartAnswer {
  if (part.kind === "release" || part.name !== name) return { findings: [] };
  const found = { findings: [{ what: name, version: part.version, in: titleOf(part) }] };
  if (condition === undefined) return found;
  if (part.version === null)
    return { findings: [], gap: "nobody is known to have published it: its version is unknown" };
  return meets(compareVersions(part.version, condition.version), condition.operator) === true
    ? found
    : { findings: [] };
}

function askModule({ path, condition }: Question & { readonly kind: "module" }, part: Part): PartAnswer {
  if (part.kind === "release") return { findings: [] };
  const { packages, gap } = goModules(part);
  const module = moduleOf(path);
  const gaps = gap === undefined ? [] : [gap];
  const findings: Finding[] = [];
  for (const { name, version, purl } of packages.filter((each) => each.name === module)) {
    const holds = condition === undefined || meets(compareGoVersions(version, condition.version), condition.operator);
    if (holds === undefined) gaps.push(noOrder(version, condition));
    if (holds === true) findings.push({ what: name, version, in: titleOf(part), purl });
  }
  const [first] = gaps;
  return { findings, ...(first === undefined ? {} : { gap: first }) };
}

/** A package of Go's own library, such as crypto/tls, has no dot in its first element; it comes with all others of it. */
function moduleOf(path: string): string {
  return /^[^/]*\./u.test(path) ? path : GO_LIBRARY;
}

function noOrder(version: string, condition: Condition | undefined): string {
  return `${version} and ${condition?.version ?? ""} cannot be compared: one of them is no version`;
}

function meets(order: -1 | 0 | 1 | undefined, operator: Operator): boolean | undefined {
  if (order === undefined) return undefined;
  if (operator === "=") return order === 0;
  return operator.startsWith("<")
    ? order < 0 || (operator === "<=" && order === 0)
    : order > 0 || (operator === ">=" && order === 0);
}
