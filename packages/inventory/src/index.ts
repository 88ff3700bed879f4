/**
 * What proven nodes are made of, from the manifests of what they run: which of them has a package, a file, a Go module or a
 * published weakness, and how groups of them differ. Pure: manifests and advisories are given to it.
 */
export { parseAdvisories, joinAdvisories } from "./advisories/read-advisories.ts";
export { judgeAdvisories } from "./advisories/judge-advisories.ts";
export type { JudgedAdvisory, JudgedPackage } from "./advisories/judge-advisories.ts";
export type { Advisories, Advisory } from "./advisories/advisory.ts";
export { MAX_TRACKER_CHARACTERS } from "./advisories/tracker.ts";
export { isReleaseOf, isWhole, partsOf } from "./contents/contents.ts";
export type { Manifests, WholeRelease } from "./contents/contents.ts";
export { groupNodes } from "./contents/known-node.ts";
export type { KnownNode } from "./contents/known-node.ts";
export { packagePurl } from "./contents/packages.ts";
export { askNodes } from "./question/ask-nodes.ts";
export type { NodeAnswer } from "./question/ask-nodes.ts";
export {
  parseDigestQuestion,
  parseExtensionQuestion,
  parseFileQuestion,
  parseModuleQuestion,
  parsePackageQuestion,
  questionText,
} from "./question/question.ts";
export type { Question } from "./question/question.ts";
export type { AnswerKind, Finding } from "./question/answer.ts";
export { compareDebianVersions } from "./versions/debian-version.ts";
export { compareGoVersions } from "./versions/go-version.ts";
export { compareConfigs } from "./differences/compare-configs.ts";
export type { KnownConfig } from "./differences/compare-configs.ts";
export { compareFiles, comparePackages } from "./differences/compare-lists.ts";
export type { FileDifference, PackageDifference } from "./differences/compare-lists.ts";
export type { Differences, ExtensionSide } from "./differences/explain.ts";
export { explainChanges, explainNodes } from "./differences/groups.ts";
export type { ChangedGroup, ExplainedNode, Explanation } from "./differences/groups.ts";
