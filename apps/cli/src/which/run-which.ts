import { randomUUID } from "node:crypto";
import { printJson } from "@ashlar/host/terminal";
import type { AnswerKind, Question } from "@ashlar/inventory";
import { readKnownNodes, type KnownNodes, type NodeSources } from "../inventory/known-nodes.ts";
import { printAdvisories, printAnswers, type Counts } from "./print-which.ts";

export type WhichOptions = Omit<NodeSources, "extension"> & {
  readonly file?: string;
  readonly digest?: string;
  readonly module?: string;
  readonly osv?: string;
  readonly vex?: string;
};

/** What is asked for without an option of its own name among the options of nodes. */
type Asked = { readonly package: string | undefined; readonly ofExtension: string | undefined };

const STATUS: Readonly<Record<AnswerKind, number>> = { "has-not": 0, has: 1, unknown: 2 };

/** @returns the exit status: 0 no node has it, 1 one has it, 2 it is not known of all */
export async function runWhich(asked: Asked, options: WhichOptions & NodeSources): Promise<number> {
  const { json, osv, vex } = options;
  if (osv !== undefined) return await findAdvisories(osv, options, vex);
  const question = await questionOf(asked, options);
  const { nodes, manifests } = await readKnownNodes(options);
  const { askNodes, questionText } = await import("@ashlar/inventory");
  const answers = askNodes(question, nodes, manifests);
  const counts = countAnswers(answers.map(({ answer }) => answer));
  if (json === true) printJson({ schema: "ashlar.which/v1", question: questionText(question), counts, nodes: answers });
  else printAnswers(questionText(question), answers, counts);
  return STATUS[worstOf(answers.map(({ answer }) => answer))];
}

/** Before any node is asked: a question that is none ends the command at once. */
async function questionOf(asked: Asked, { file, digest, module }: WhichOptions): Promise<Question> {
  const parse = await import("@ashlar/inventory");
  if (file !== undefined) return parse.parseFileQuestion(file);
  if (digest !== undefined) return parse.parseDigestQuestion(digest);
  if (module !== undefined) return parse.parseModuleQuestion(module);
  return asked.ofExtension === undefined
    ? parse.parsePackageQuestion(asked.package ?? "")
    : parse.parseExtensionQuestion(asked.ofExtension);
}

async function findAdvisories(
  place: string,
  options: WhichOptions & NodeSources,
  vex: string | undefined,
): Promise<number> {
  const { groupNodes, judgeAdvisories, partsOf } = await import("@ashlar/inventory");
  const { readAdvisories } = await import("./read-advisories.ts");
  const read = await readAdvisories(place);
  const known: KnownNodes = await readKnownNodes(options);
  const { groups, unproven } = groupNodes(known.nodes);
  const judged = groups.map(({ running, nodes }) => {
    const all = judgeAdvisories(read.advisories, partsOf(running, known.manifests));
    return { running, nodes: nodes.map(({ name }) => name), judged: all };
  });
  if (vex !== undefined) {
    const { writeFileAtomically } = await import("@ashlar/host");
    const { writeVex } = await import("@ashlar/inventory/vex");
    const inVex = judged.map((group) => ({ nodes: group.nodes.length, judged: group.judged }));
    const now = new Date();
    const serialNumber = `urn:uuid:${randomUUID()}`;
    await writeFileAtomically(vex, writeVex({ groups: inVex, nodes: known.nodes.length, now, serialNumber }));
  }
  if (options.json === true) {
    printJson({
      schema: "ashlar.which-advisories/v1",
      advisories: read.advisories.length,
      others: read.others,
      withdrawn: read.withdrawn,
      groups: judged.map(({ running, nodes, judged: all }) => ({
        running,
        nodes,
        advisories: all
          .filter(({ answer, packages }) => answer.answer !== "has-not" || packages.length > 0)
          .map(({ advisory: { id, aliases }, answer, packages }) => ({
            id,
            aliases,
            answer: answer.answer,
            packages,
            reasons: answer.reasons,
          })),
      })),
      unproven: unproven.map(({ name, level }) => ({ name, level })),
    });
  } else printAdvisories(read, judged, unproven);
  const answers = judged.flatMap((group) => group.judged.map(({ answer }) => answer.answer));
  return STATUS[worstOf([...answers, ...unproven.map((): AnswerKind => "unknown")])];
}

function countAnswers(answers: readonly AnswerKind[]): Counts {
  const countOf = (kind: AnswerKind): number => answers.filter((each) => each === kind).length;
  return { has: countOf("has"), "has-not": countOf("has-not"), unknown: countOf("unknown") };
}

/** Of no nodes nothing is known. */
function worstOf(answers: readonly AnswerKind[]): AnswerKind {
  if (answers.includes("has")) return "has";
  return answers.length === 0 || answers.includes("unknown") ? "unknown" : "has-not";
}
