import { AshlarError } from "@ashlar/base";
import { printJson, reportLine } from "@ashlar/host/terminal";
import { readHostFacts } from "./facts.ts";
import type { HostPart } from "./host-packages.ts";
import { installPackages } from "./install.ts";
import { aptCommands, planSetup, type PackageToInstall } from "./plan.ts";

export type SetUpOptions = {
  readonly parts: readonly HostPart[];
  /** Change nothing: a host that lacks something is a failure. */
  readonly check: boolean;
  readonly json: boolean;
};

/**
 * Makes the host ready.
 *
 * @throws AshlarError `missing-tool` when something is missing and is not, or cannot be, installed.
 */
export async function setUp({ parts, check, json }: SetUpOptions): Promise<void> {
  const facts = await readHostFacts(parts);
  const plan = planSetup(facts);
  if (json) {
    const missing = facts.missing.map(({ wanted, reason }) => ({ package: wanted.name, reason, why: wanted.why }));
    printJson({ system: facts.system.name, missing });
  }
  if (plan.kind === "complete") return;
  const { packages } = plan;
  if (plan.kind === "refuse") {
    throw new AshlarError(plan.code, describeMissing(packages), {
      hint: `${plan.reason}; ${howToInstall(packages, facts.system.supported)}`,
    });
  }
  if (check) throw new AshlarError("missing-tool", describeMissing(packages), { hint: "run `./ashlar setup`" });
  await installPackages(plan.packages, plan.suite, (line) => reportLine(`setup: ${line}`));
  await confirm(parts);
}

/** A package that does not bring what we expect of it must be noticed here, not in the middle of a build. */
async function confirm(parts: readonly HostPart[]): Promise<void> {
  const { missing } = await readHostFacts(parts);
  if (missing.length === 0) return;
  const reasons = missing.map(({ wanted, reason }) => `${reason} (package ${wanted.name})`);
  throw new AshlarError("missing-tool", `after installing, expected nothing missing, found: ${reasons.join(", ")}`, {
    hint: "see which version `apt-cache policy PACKAGE` offers: the installed one does not bring what is needed",
  });
}

function describeMissing(packages: readonly PackageToInstall[]): string {
  return ["the host lacks:", ...packages.map(({ name, why }) => `  ${name}: ${why}`)].join("\n");
}

function howToInstall(packages: readonly PackageToInstall[], supported: boolean): string {
  const suites = new Set(packages.flatMap(({ suite }) => suite ?? []));
  const before = [...suites].map((suite) => `add the suite ${suite} to apt's sources and `).join("");
  const commands = aptCommands(packages).map((args) => `  sudo apt-get ${args.join(" ")}`);
  const where = supported ? "run `./ashlar setup` as root, or" : "install what these are called there; on Debian";
  return `${where} ${before}run:\n${commands.join("\n")}`;
}
