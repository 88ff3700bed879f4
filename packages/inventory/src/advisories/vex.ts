import { Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import type { JudgedAdvisory, JudgedPackage } from "./judge-advisories.ts";

export type VexInput = {
  /** What advisories mean for each group of proven nodes that run the same, and how many nodes it has. */
  readonly groups: readonly { readonly nodes: number; readonly judged: readonly JudgedAdvisory[] }[];
  /** All that were asked about, the not proven too. */
  readonly nodes: number;
  readonly now: Date;
  /** `urn:uuid:...` */
  readonly serialNumber: string;
};

/**
 * A CycloneDX 1.6 document of exploitability (VEX): for each advisory about a package that a proven node has, which versions
 * of it they have and whether these are affected. About other advisories it says nothing.
 */
export function writeVex({ groups, nodes, now, serialNumber }: VexInput): string {
  const bom = new Models.Bom({ version: 1, serialNumber, metadata: new Models.Metadata({ timestamp: now }) });
  const components = new Map<string, Models.Component>();
  const statements = new Map<string, Statement>();
  for (const { nodes: count, judged } of groups) {
    for (const { advisory, answer, packages } of judged) {
      if (packages.length === 0) continue;
      const statement = statements.get(advisory.id) ?? { advisory, packages: [], affectedNodes: 0 };
      statements.set(advisory.id, {
        ...statement,
        packages: [...statement.packages, ...packages],
        affectedNodes: statement.affectedNodes + (answer.answer === "has" ? count : 0),
      });
    }
  }
  for (const [id, statement] of statements) bom.vulnerabilities.add(vulnerabilityOf(id, statement, nodes, components));
  for (const component of components.values()) bom.components.add(component);
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}

type Statement = {
  readonly advisory: JudgedAdvisory["advisory"];
  readonly packages: readonly JudgedPackage[];
  readonly affectedNodes: number;
};

const STATUS = {
  affected: Enums.Vulnerability.AffectStatus.Affected,
  "not-affected": Enums.Vulnerability.AffectStatus.Unaffected,
  unknown: Enums.Vulnerability.AffectStatus.Unknown,
} as const;

function vulnerabilityOf(
  id: string,
  { advisory, packages, affectedNodes }: Statement,
  nodes: number,
  components: Map<string, Models.Component>,
): Models.Vulnerability.Vulnerability {
  const affects = new Models.Vulnerability.AffectRepository();
  const byPurl = new Map(packages.map((each) => [each.purl ?? each.what, each]));
  for (const [ref, { what, version, state }] of byPurl) {
    const component =
      components.get(ref) ??
      new Models.Component(Enums.ComponentType.Library, what, { version: version ?? "", bomRef: ref });
    components.set(ref, component);
    const versions = new Models.Vulnerability.AffectedVersionRepository([
      new Models.Vulnerability.AffectedSingleVersion(version ?? "", { status: STATUS[state] }),
    ]);
    affects.add(new Models.Vulnerability.Affect(component.bomRef, { versions }));
  }
  const fixes = [...new Set(packages.flatMap(({ state, fixedIn }) => (state === "affected" ? (fixedIn ?? []) : [])))];
  return new Models.Vulnerability.Vulnerability({
    bomRef: id,
    id,
    source: new Models.Vulnerability.Source({ name: advisory.source }),
    analysis: analysisOf([...byPurl.values()], affectedNodes, nodes),
    affects,
    ...(fixes.length === 0 ? {} : { recommendation: `Update to a release with ${fixes.join(" or ")} or later` }),
  });
}

/** A version in an advisory's range is affected. Whether that can be made use of on a node is another question. */
function analysisOf(
  packages: readonly JudgedPackage[],
  affectedNodes: number,
  nodes: number,
): Models.Vulnerability.Analysis {
  const { AnalysisState } = Enums.Vulnerability;
  if (packages.every(({ state }) => state === "not-affected")) {
    return new Models.Vulnerability.Analysis({
      state: AnalysisState.NotAffected,
      justification: Enums.Vulnerability.AnalysisJustification.CodeNotPresent,
      detail: "Every proven node has a version that is not affected",
    });
  }
  const detail =
    affectedNodes === 0
      ? "Whether the versions that nodes have are affected is not known"
      : `Proven: ${affectedNodes} of ${nodes} nodes run an affected version. Whether it can be exploited there was not looked into`;
  return new Models.Vulnerability.Analysis({ state: AnalysisState.InTriage, detail });
}
