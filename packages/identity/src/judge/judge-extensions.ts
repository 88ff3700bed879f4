import { compareVersions } from "@ashlar/formats";
import type { DifferenceCode } from "../check/difference-codes.ts";
import type { Difference } from "../check/difference.ts";
import {
  MAX_EXTENSIONS,
  matchesVersion,
  type ExtensionKind,
  type MeasuredExtension,
  type MeasuredExtensions,
} from "@ashlar/protocol";
import type {
  DebugException,
  ExtensionKnowledge,
  KnownExtension,
  RightExtension,
} from "../expected/known-extension.ts";

/** What a node has merged, as its verdict names it. */
export type VerdictExtension = {
  readonly kind: ExtensionKind;
  readonly name: string;
  /** As published; null when nobody is known to have published this root hash. */
  readonly version: string | null;
  readonly rootHash: string;
  /** What is worth knowing although it is right, for example that a newer version is published. */
  readonly note: string | null;
  /** RFC 3339: when the debug session ends that it is allowed for; null for a declared extension. */
  readonly until: string | null;
};

export type ExtensionExpectations = ExtensionKnowledge & { readonly declared: readonly RightExtension[] };

export type JudgedExtensions = {
  readonly extensions: readonly VerdictExtension[];
  /** What was merged earlier in this boot with every right. */
  readonly notes: readonly string[];
  readonly differences: readonly Difference[];
  /** What cannot be told from what is known here. */
  readonly undecided: readonly Difference[];
};

/** The node's timer and the verifier's clock need not agree to the second. */
const EXCEPTION_GRACE_MS = 60_000;
/** A hostile log may hold thousands, of which so many are named. */
const MAX_NAMED = 16;

/**
 * Declared against measured against published. Right is: each declared extension merged, in a published version that the
 * declared pattern takes and nobody has withdrawn, and nothing else but what a debug session allows.
 *
 * @param atMs when the node was asked
 */
export function judgeExtensions(
  { merged, earlier }: MeasuredExtensions,
  expectations: ExtensionExpectations,
  atMs: number,
): JudgedExtensions {
  const judged = new Judgement(expectations, atMs);
  for (const extension of merged.slice(0, MAX_EXTENSIONS)) judged.addMerged(extension, earlier);
  for (const declared of expectations.declared) judged.addMissing(declared, merged, earlier);
  for (const extension of earlier) {
    // Nothing that follows could make it worse.
    if (judged.differences.length >= MAX_NAMED) break;
    judged.addEarlier(extension, merged);
  }
  if (merged.length > MAX_EXTENSIONS) {
    judged.differences.push({
      code: "extensions-too-many",
      what: "extensions",
      expected: `at most ${MAX_EXTENSIONS}`,
      found: String(merged.length),
    });
  }
  return judged;
}

class Judgement implements JudgedExtensions {
  readonly extensions: VerdictExtension[] = [];
  readonly notes: string[] = [];
  readonly differences: Difference[] = [];
  readonly undecided: Difference[] = [];
  readonly #expectations: ExtensionExpectations;
  readonly #atMs: number;

  constructor(expectations: ExtensionExpectations, atMs: number) {
    this.#expectations = expectations;
    this.#atMs = atMs;
  }

  addMerged(extension: MeasuredExtension, earlier: readonly MeasuredExtension[]): void {
    const { name } = extension;
    const published = this.#published(extension);
    const declared = this.#declared(name);
    const exception = declared === undefined ? this.#exception(extension) : undefined;
    const notes: string[] = [];
    if (exception !== undefined) this.#judgeException(extension, exception, notes);
    else if (declared === undefined) {
      this.#differ(
        "extension-undeclared",
        name,
        `extension ${name}`,
        "nothing: it is not declared",
        this.#show(extension),
      );
    } else this.#judgeDeclared(extension, declared, notes);
    const former = earlier.filter((each) => each.name === name && each.kind === extension.kind);
    for (const each of former.slice(0, 1)) notes.push(`${this.#show(each)} earlier in this boot`);
    this.extensions.push({
      ...extension,
      version: published?.version ?? null,
      note: notes.length === 0 ? null : notes.join("; "),
      until: exception === undefined ? null : exception.until,
    });
  }

  #judgeException(extension: MeasuredExtension, { rootHash, until }: DebugException, notes: string[]): void {
    notes.push("debug session");
    const what = `extension ${extension.name}`;
    if (this.#atMs > Date.parse(until) + EXCEPTION_GRACE_MS) {
      this.#differ(
        "extension-session",
        extension.name,
        what,
        `nothing: its debug session has ended at ${until}`,
        this.#show(extension),
      );
    }
    if (rootHash !== null) return;
    const published = this.#requirePublished(what, extension, "a published version");
    if (published !== undefined) this.#refuseWithdrawn(what, published);
  }

  #judgeDeclared(extension: MeasuredExtension, declared: RightExtension, notes: string[]): void {
    const { kind, name } = extension;
    const what = `extension ${name}`;
    if (kind !== declared.kind) {
      this.#differ("extension-kind", name, what, `a ${declared.kind}`, `a ${kind}`);
      return;
    }
    if (this.#isAlsoAllowed(extension)) {
      notes.push("its turn in an update");
      return;
    }
    const published = this.#requirePublished(what, extension, `a published version, ${declared.pattern}`);
    if (published === undefined) return;
    const { version, tier } = published;
    if (!matchesVersion(version, declared.pattern))
      this.#differ("extension-version", name, what, declared.pattern, this.#show(extension));
    if (declared.tier !== null && declared.tier !== tier) {
      this.#differ("extension-tier", name, `${what}, tier`, declared.tier, tier);
    }
    this.#refuseWithdrawn(what, published);
    const newest = this.#newest(declared);
    if (newest !== undefined && compareVersions(newest, version) > 0) notes.push(`${newest} is published`);
  }

  #refuseWithdrawn(what: string, { name, version, withdrawn }: KnownExtension): void {
    if (withdrawn === undefined) return;
    this.#differ(
      "extension-withdrawn",
      name,
      what,
      "a version that is not withdrawn",
      `${version}, withdrawn: ${withdrawn.reason}`,
    );
  }

  addMissing(
    { kind, name, pattern, source }: RightExtension,
    merged: readonly MeasuredExtension[],
    earlier: readonly MeasuredExtension[],
  ): void {
    // Of another kind: that has been named.
    if (merged.some((each) => each.name === name)) return;
    // Only where it comes from was declared: it need not have come.
    if (source.type === "track") return;
    const was = earlier.findLast((each) => each.name === name);
    const found = was === undefined ? "not merged" : `${this.#show(was)}, unmerged in this boot`;
    this.#differ("extension-missing", name, `extension ${name}`, `the ${kind} ${pattern}, merged`, found);
  }

  /** What was merged has run, and may have left its mark on what runs now. */
  addEarlier(extension: MeasuredExtension, merged: readonly MeasuredExtension[]): void {
    const { kind, name } = extension;
    const what = `extension ${name}, earlier in this boot`;
    const declared = this.#declared(name);
    const exception = declared === undefined ? this.#exception(extension) : undefined;
    if (declared?.kind !== kind && exception === undefined) {
      this.#differ(
        "extension-undeclared",
        name,
        what,
        "nothing that is not declared",
        `${this.#show(extension)}; a restart ends it`,
      );
      return;
    }
    const isKnown = this.#isAlsoAllowed(extension) || exception?.rootHash === extension.rootHash;
    if (!isKnown && this.#requirePublished(what, extension, "a published version") === undefined) return;
    // Otherwise its successor says so.
    const isReplaced = merged.some((each) => each.name === name && each.kind === kind);
    if (!isReplaced && this.notes.length < MAX_NAMED) {
      this.notes.push(`${this.#show(extension)} of ${name} was merged earlier in this boot`);
    }
  }

  /** Undefined, and named, when nobody is known to have published it. */
  #requirePublished(what: string, extension: MeasuredExtension, expected: string): KnownExtension | undefined {
    const published = this.#published(extension);
    if (published !== undefined) return published;
    const { known } = this.#expectations;
    const root = `root hash ${extension.rootHash}`;
    const other = known.find(({ rootHash }) => rootHash === extension.rootHash);
    if (other !== undefined) {
      this.#differ(
        "extension-unpublished",
        extension.name,
        what,
        expected,
        `${root}, which is the ${other.kind} ${other.name} ${other.version}`,
      );
    } else if (known.some(({ name }) => name === extension.name)) {
      this.#differ("extension-unpublished", extension.name, what, expected, `${root}, which is not published`);
    } else {
      const found = `${root}, and nothing published is known: give --releases or --extension`;
      this.undecided.push({ code: "extension-unknown", subject: extension.name, what, expected, found });
    }
    return undefined;
  }

  #published({ kind, name, rootHash }: MeasuredExtension): KnownExtension | undefined {
    return this.#expectations.known.find(
      (each) => each.rootHash === rootHash && each.name === name && each.kind === kind,
    );
  }

  #newest({ kind, name, pattern }: RightExtension): string | undefined {
    return this.#expectations.known
      .filter((each) => each.kind === kind && each.name === name && each.withdrawn === undefined)
      .map(({ version }) => version)
      .filter((version) => matchesVersion(version, pattern))
      .toSorted(compareVersions)
      .at(-1);
  }

  #declared(name: string): RightExtension | undefined {
    return this.#expectations.declared.find((each) => each.name === name);
  }

  /** The one that lasts longest, of several for the same extension. */
  #exception({ name, rootHash }: MeasuredExtension): DebugException | undefined {
    return this.#expectations.exceptions
      .filter((each) => each.name === name && (each.rootHash === null || each.rootHash === rootHash))
      .toSorted((a, b) => Date.parse(b.until) - Date.parse(a.until))[0];
  }

  #isAlsoAllowed({ kind, name, rootHash }: MeasuredExtension): boolean {
    return this.#expectations.alsoAllowed.some(
      (each) => each.kind === kind && each.name === name && each.rootHash === rootHash,
    );
  }

  #show(extension: MeasuredExtension): string {
    const version = this.#published(extension)?.version;
    return version === undefined ? `root hash ${extension.rootHash}` : version;
  }

  #differ(code: DifferenceCode, subject: string, what: string, expected: string, found: string): void {
    this.differences.push({ code, subject, what, expected, found });
  }
}
