import type { Position, Problem, Report } from "@ashlar/base";
import type { Origins, Place } from "./origins.ts";

type Severity = Problem["severity"];

type Finding = {
  readonly severity: Severity;
  readonly message: string;
  readonly hint: string | undefined;
  readonly path: string | undefined;
  readonly offset: number | undefined;
};

/** Collects what is wrong with one document and turns it into a report, in the order of the text. */
export class Findings {
  readonly #text: string;
  readonly #origins: Origins;
  readonly #findings: Finding[] = [];
  /** Places with errors of earlier phases: what comes of those errors later is not news. */
  readonly #settled = new Set<string>();

  constructor(text: string, origins: Origins) {
    this.#text = text;
    this.#origins = origins;
  }

  get hasErrors(): boolean {
    return this.#findings.some((finding) => finding.severity === "error");
  }

  /** Starts checks that see the consequences of the errors so far. */
  nextPhase(): void {
    for (const { severity, path } of this.#findings) {
      if (severity === "error" && path !== undefined) this.#settled.add(path);
    }
  }

  error(place: Place, message: string, hint?: string): void {
    this.#add("error", this.#origins.locate(place), message, hint);
  }

  warning(place: Place, message: string, hint?: string): void {
    this.#add("warning", this.#origins.locate(place), message, hint);
  }

  /** Advice: nothing is wrong with the document, but it will not do what was meant. */
  advice(place: Place, message: string, hint?: string): void {
    this.#add("info", this.#origins.locate(place), message, hint);
  }

  /** A problem of the text itself, which has no place in a value. */
  at(severity: Severity, offset: number | undefined, message: string, hint?: string): void {
    this.#findings.push({ severity, message, hint, path: undefined, offset });
  }

  atKey(
    severity: Severity,
    place: { readonly path: string; readonly offset: number },
    message: string,
    hint?: string,
  ): void {
    this.#add(severity, place, message, hint);
  }

  /** Hands the errors on to another collection about the same text. */
  forwardErrors(to: Findings): void {
    to.#findings.push(...this.#findings.filter((finding) => finding.severity === "error"));
  }

  report(): Report {
    const lines = new Lines(this.#text);
    const ordered = this.#findings.toSorted((left, right) => (left.offset ?? -1) - (right.offset ?? -1));
    return ordered.map((finding) => toProblem(finding, lines));
  }

  #add(
    severity: Severity,
    place: { readonly path: string; readonly offset: number },
    message: string,
    hint?: string,
  ): void {
    if (this.#settled.has(place.path)) return;
    this.#findings.push({ severity, message, hint, path: place.path, offset: place.offset });
  }
}

function toProblem({ severity, message, hint, path, offset }: Finding, lines: Lines): Problem {
  return {
    severity,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(path === undefined ? {} : { path }),
    ...(offset === undefined ? {} : { position: lines.position(offset) }),
  };
}

/** Finds lines and columns of ascending offsets, reading the text once. */
class Lines {
  readonly #text: string;
  #line = 1;
  #start = 0;

  constructor(text: string) {
    this.#text = text;
  }

  position(offset: number): Position {
    for (;;) {
      const next = this.#text.indexOf("\n", this.#start);
      if (next < 0 || next >= offset) break;
      this.#line += 1;
      this.#start = next + 1;
    }
    return { line: this.#line, column: offset - this.#start + 1 };
  }
}
