import type { HostPackage } from "./host-packages.ts";
import type { System } from "./system.ts";

/** What is known of the host before anything is decided. */
export type HostFacts = {
  readonly system: System;
  readonly isRoot: boolean;
  /** Needed packages of which something is not there, or is too old. */
  readonly missing: readonly MissingPackage[];
};

export type MissingPackage = { readonly wanted: HostPackage; readonly reason: string };

export type SetupPlan =
  | { readonly kind: "complete" }
  | { readonly kind: "install"; readonly packages: readonly PackageToInstall[]; readonly suite?: SuiteToAdd }
  | {
      readonly kind: "refuse";
      readonly code: "missing-tool" | "privilege";
      readonly reason: string;
      readonly packages: readonly PackageToInstall[];
    };

export type PackageToInstall = {
  readonly name: string;
  readonly why: string;
  /** The suite that it has to come from, where the release's own is too old. */
  readonly suite?: string;
};

export type SuiteToAdd = { readonly suite: string; readonly of: string };

/** Decides what to do about a host; touches nothing. */
export function planSetup({ system, isRoot, missing }: HostFacts): SetupPlan {
  if (missing.length === 0) return { kind: "complete" };
  const { backports } = system;
  const packages = missing.map(({ wanted, reason }) => ({
    name: wanted.name,
    why: wanted.oldest === undefined ? wanted.why : `${wanted.why} (${reason})`,
    ...(wanted.oldest !== undefined && backports !== undefined ? { suite: backports.suite } : {}),
  }));
  if (!system.supported) {
    const reason = `Ashlar installs packages on Debian 12, Debian 13 and Ubuntu 24.04, found ${system.name}`;
    return { kind: "refuse", code: "missing-tool", reason, packages };
  }
  if (!isRoot) return { kind: "refuse", code: "privilege", reason: "installing packages needs root", packages };
  const needsSuite = packages.some((each) => each.suite !== undefined);
  return { kind: "install", packages, ...(needsSuite && backports !== undefined ? { suite: backports } : {}) };
}

/**
 * The arguments of each apt-get that has to run: packages of another suite on their own, since what they depend on comes
 * from there too. Nothing is installed that is only recommended.
 */
export function aptCommands(packages: readonly PackageToInstall[]): string[][] {
  const bySuite = Map.groupBy(packages, ({ suite }) => suite);
  return [...bySuite].map(([suite, members]) => {
    const target = suite === undefined ? [] : ["--target-release", suite];
    const names = members.map(({ name }) => name);
    return ["install", "--yes", "--no-install-recommends"].concat(target, names);
  });
}
