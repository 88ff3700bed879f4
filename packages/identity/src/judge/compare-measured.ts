import type { DifferenceCode } from "../check/difference-codes.ts";
import type { Difference } from "../check/difference.ts";

/** Something that was measured, or should be. Two are the same when their digests are. */
export type Measured = {
  /** What it is, for example ".cmdline"; undefined when only a digest is known. */
  readonly label: string | undefined;
  readonly digest: string;
  /** How a message gives it: a digest or a quoted word. */
  readonly shown: string;
};

export type Expected = Measured & {
  readonly label: string;
  readonly code: DifferenceCode;
  readonly subject: string;
};

/**
 * Compares what a PCR should have measured, each once and in this order, with what it has measured. Names each one that
 * is missing, replaced or extra; when there is none of those, the order.
 *
 * @param code of what is extra, or out of order
 * @param kind what such a thing is called, for example "boot phase"
 */
export function compareMeasured(
  pcr: number,
  code: DifferenceCode,
  kind: string,
  expected: readonly Expected[],
  found: readonly Measured[],
): Difference[] {
  const extra = [...found];
  const missing: Expected[] = [];
  for (const item of expected) {
    const index = extra.findIndex(({ digest }) => digest === item.digest);
    if (index === -1) missing.push(item);
    else extra.splice(index, 1);
  }
  const differences: Difference[] = missing.map((item) => {
    const replacement = takeReplacement(item, extra);
    const instead = replacement?.shown ?? "nothing";
    return {
      code: item.code,
      subject: item.subject,
      what: `PCR ${pcr}, ${item.label}`,
      expected: item.shown,
      found: instead,
    };
  });
  for (const item of extra.slice(0, MAX_EXTRA)) {
    differences.push({ code, what: `PCR ${pcr}, unexpected ${kind}`, expected: "nothing", found: item.shown });
  }
  if (differences.length === 0 && expected.some((item, index) => item.digest !== found[index]?.digest)) {
    const what = `PCR ${pcr}, order of each ${kind}`;
    differences.push({ code, what, expected: listOf(expected), found: listOf(found) });
  }
  return differences;
}

/** A hostile log may hold thousands. */
const MAX_EXTRA = 8;

/** The extra item that stands where the missing one should be: one with its label, else the first without label. */
function takeReplacement(missing: Expected, extra: Measured[]): Measured | undefined {
  const sameLabel = extra.findIndex(({ label }) => label === missing.label);
  const index = sameLabel === -1 ? extra.findIndex(({ label }) => label === undefined) : sameLabel;
  return index === -1 ? undefined : extra.splice(index, 1)[0];
}

function listOf(items: readonly Measured[]): string {
  return items.map(({ label, shown }) => label ?? shown).join(", ");
}
