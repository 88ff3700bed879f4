/** What answers of gates mean. They come from outside: whatever they are, the result is a text or a number. */
import { membersOf, printable } from "@ashlar/base";
import type { Comparison } from "@ashlar/kube";

export type GateVerdict = { readonly isOpen: true } | { readonly isOpen: false; readonly message: string };

const OPEN: GateVerdict = { isOpen: true };
const MAX_TEXT = 300;

export function closed(message: string): GateVerdict {
  return { isOpen: false, message };
}

/** A text that somebody else has written, for people. */
export function quoted(text: string): string {
  return printable(text.trim()).slice(0, MAX_TEXT).toWellFormed();
}

/**
 * What an instant query's answer says (Prometheus, HTTP API, "Instant queries" and "Expression query result formats").
 *
 * @param body of the response, whatever its status: errors are JSON, too
 */
export function judgeQuery(
  { status, body }: { readonly status: number; readonly body: string },
  is: Comparison,
  wanted: string,
): GateVerdict {
  const answer = membersOf(parsed(body));
  if (answer["status"] === "error") return closed(`Prometheus answers: ${quoted(String(answer["error"]))}`);
  if (status !== 200 || answer["status"] !== "success") {
    return closed(`expected an answer of Prometheus, found status ${status}: ${quoted(body)}`);
  }
  const { resultType, result } = membersOf(answer["data"]);
  const values = valuesOf(resultType, result);
  if (values === undefined) return closed(`expected a scalar or a vector, found ${quoted(String(resultType))}`);
  if (values.length === 0) return closed("the query gives no series");
  const wrong = values.find((value) => !holds(value, is, Number(wanted)));
  if (wrong === undefined) return OPEN;
  const of = values.length === 1 ? "" : ` in one of ${values.length} series`;
  return closed(`expected ${is} ${wanted}, found ${wrong}${of}`);
}

function valuesOf(type: unknown, result: unknown): readonly number[] | undefined {
  if (!Array.isArray(result)) return undefined;
  if (type === "scalar") return [valueOf(result)];
  return type === "vector" ? result.map((each: unknown) => valueOf(membersOf(each)["value"])) : undefined;
}

/** A pair of time and text. What is no number is NaN, as what Prometheus calls so, and compares with nothing. */
function valueOf(pair: unknown): number {
  const text: unknown = Array.isArray(pair) ? pair[1] : undefined;
  if (text === "+Inf") return Number.POSITIVE_INFINITY;
  if (text === "-Inf") return Number.NEGATIVE_INFINITY;
  return typeof text === "string" && text.trim() !== "" ? Number(text) : Number.NaN;
}

function holds(value: number, is: Comparison, wanted: number): boolean {
  if (Number.isNaN(value)) return false;
  const order = Math.sign(value - wanted);
  const right: Readonly<Record<Comparison, boolean>> = {
    "<": order < 0,
    "<=": order <= 0,
    ">": order > 0,
    ">=": order >= 0,
    "==": order === 0,
    "!=": order !== 0,
  };
  return right[is];
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** What a webhook's answer says. */
export function judgeWebhook({ status, body }: { readonly status: number; readonly body: string }): GateVerdict {
  if (status >= 200 && status < 300) return OPEN;
  const text = quoted(body);
  return closed(`it answers ${status}${text === "" ? "" : `: ${text}`}`);
}

/** How long it has been open without a break has to be as long as is asked for. */
export function judgeDuration(
  verdict: GateVerdict,
  openSinceMs: number,
  forSeconds: number,
  nowMs: number,
): GateVerdict {
  if (!verdict.isOpen || nowMs - openSinceMs >= forSeconds * 1000) return verdict;
  return closed(`it is well since ${Math.round((nowMs - openSinceMs) / 1000)} s, and has to be for ${forSeconds} s`);
}
