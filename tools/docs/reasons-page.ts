import { DIFFERENCE_CODES } from "@ashlar/identity";
import { OWN_REASONS, reasonOf, REASONS, type ReasonPlace } from "@ashlar/operator/reasons";
import { DIFFERENCE_ADVICE } from "./difference-advice.ts";

/** One page with every word that says why, and what to do about it. */
export function reasonsPage(): string {
  const own = OWN_REASONS.map((reason) => {
    const { at, means, toDo } = REASONS[reason];
    return `| \`${reason}\` | ${at.map((place) => placeText(place)).join("; ")} | ${means} | ${toDo} |`;
  });
  const codes = entriesOf(DIFFERENCE_CODES).map(
    ([code, sentence]) => `| \`${code}\` | \`${reasonOf(code)}\` | ${sentence} | ${DIFFERENCE_ADVICE[code]} |`,
  );
  return `# Reasons, and what to do

Every reason of a condition or an Event in a cluster, and every code of a difference: what it means, and what to do.

## Conditions and Events

| reason | found in | meaning | what to do |
|---|---|---|---|
${own.join("\n")}

## Differences

What is found to be wrong with a node has a code, in verdicts (\`ashlar prove --json\`), NodeProofs, messages of \`ashlar watch\` and metrics. The first one is the reason
of a NodeProof's condition \`Proven\`, and of an Event of its Node, in the form of the second column.

| code | reason | meaning | what to do |
|---|---|---|---|
${codes.join("\n")}
`;
}

/** \`Proven\` of a NodeProof, and so on. */
function placeText(place: ReasonPlace): string {
  if (place.startsWith("Event")) return place;
  const [kind, condition] = place.split(" ");
  return `${kind}, \`${condition}\``;
}

function entriesOf<Key extends string, Value>(table: Readonly<Record<Key, Value>>): readonly (readonly [Key, Value])[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a table of constants has the members that its type says
  return Object.entries(table) as unknown as readonly (readonly [Key, Value])[];
}
