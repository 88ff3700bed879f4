import { AshlarError, type Problem, type Report } from "@ashlar/base";
import { findBootProblems } from "./boot/declared-boot.ts";
import { type DeclarationProblem, describeProblem } from "./declaration-problem.ts";
import { findExtensionProblems } from "./extensions/declared-in-configs.ts";

/**
 * What is wrong with the extensions and the boot policy that one config declares, without the other that a node has. Each problem's
 * place is in the file that the config makes, which its message names.
 */
export function findDeclarationProblems(config: Uint8Array): Report {
  try {
    return [...findExtensionProblems(config), ...findBootProblems(config)].map(toProblem);
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    const { message, hint } = error;
    return [{ severity: "error", message, ...(hint !== undefined && { hint }) }];
  }
}

function toProblem(problem: DeclarationProblem): Problem {
  const { severity, hint } = problem;
  return { severity, message: describeProblem(problem), ...(hint !== undefined && { hint }) };
}
