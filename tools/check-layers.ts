/**
 * Holds the architecture: who may import whom, what the pure packages must not touch, and that package.json and
 * tsconfig.json say the same as the imports.
 */
import { findViolations } from "./layers/find-violations.ts";
import { readWorkspaces } from "./layers/read-workspaces.ts";

const violations = findViolations(await readWorkspaces());
for (const violation of violations) console.error(violation);
process.exitCode = violations.length === 0 ? 0 : 1;
