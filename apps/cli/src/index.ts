export { createProgram } from "./program.ts";
export { EXIT_STATUS } from "./failure.ts";
