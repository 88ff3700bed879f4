import { titleOf, type Part } from "../contents/contents.ts";
import { goModules, sourcePackages, type NamedPackage, type PackageList } from "../contents/packages.ts";
import { joinParts, type Answer, type Finding } from "../question/answer.ts";
import { compareDebianVersions } from "../versions/debian-version.ts";
import { compareGoVersions } from "../versions/go-version.ts";
import { judgeVersion, type Advisory, type Affected, type Ecosystem } from "./advisory.ts";

/** What an advisory means for what a node runs. */
export type JudgedAdvisory = {
  readonly advisory: Advisory;
  readonly answer: Answer;
  /** The packages that it is about, as they are here: also those whose version is not affected. */
  readonly packages: readonly JudgedPackage[];
};

export type JudgedPackage = Finding & {
  readonly state: "affected" | "not-affected" | "unknown";
  /** The first version that is not affected any more. */
  readonly fixedIn?: string;
};

/** One after the other, in the order of the advisories. A proven node's parts are asked once, however many there are. */
export function judgeAdvisories(advisories: readonly Advisory[], parts: readonly Part[]): JudgedAdvisory[] {
  const lists = parts.map((part) => ({ part, debian: indexed(sourcePackages(part)), go: indexed(modulesOf(part)) }));
  const listOf = new Map(lists.map((each) => [each.part, each]));
  return advisories.map((advisory) => {
    const packages: JudgedPackage[] = [];
    const answer = joinParts(parts, (part) => {
      const own = advisory.affected.map((affected) =>
        judgePart(part, affected, listOf.get(part)?.[affected.ecosystem]),
      );
      packages.push(...own.flatMap((each) => each.packages));
      const [gap] = own.flatMap((each) => each.gap ?? []);
      const findings = own.flatMap((each) => each.packages).filter(({ state }) => state === "affected");
      return { findings, ...(gap === undefined ? {} : { gap }) };
    });
    return { advisory, answer, packages };
  });
}

type Indexed = { readonly byName: ReadonlyMap<string, readonly NamedPackage[]>; readonly gap?: string };

/** Nobody lists the Go modules of Debian's packages: those have Debian's own advisories. */
function modulesOf(part: Part): PackageList {
  return part.kind === "release" ? { packages: [] } : goModules(part);
}

function indexed({ packages, gap }: PackageList): Indexed {
  return { byName: Map.groupBy(packages, ({ name }) => name), ...(gap === undefined ? {} : { gap }) };
}

const COMPARE: Readonly<Record<Ecosystem, typeof compareDebianVersions>> = {
  debian: compareDebianVersions,
  go: compareGoVersions,
};

function judgePart(
  part: Part,
  affected: Affected,
  list: Indexed | undefined,
): { readonly packages: readonly JudgedPackage[]; readonly gap?: string } {
  const packages = (list?.byName.get(affected.name) ?? []).map(({ name, version, purl, binary }): JudgedPackage => {
    const judged = judgeVersion(version, affected, COMPARE[affected.ecosystem]);
    return Object.assign({ what: binary ?? name, version, in: titleOf(part), purl }, judged);
  });
  const unclear = packages.find(({ state }) => state === "unknown");
  const gap =
    unclear === undefined ? list?.gap : `whether ${unclear.what} ${unclear.version ?? ""} is affected is not known`;
  return { packages, ...(gap === undefined ? {} : { gap }) };
}
