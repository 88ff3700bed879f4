export { createProgram } from "./program.ts";
export { debugResultJsonSchema } from "./debug/debug-result.ts";
export { updateResultJsonSchema } from "./update/update-result.ts";
export { EXIT_STATUS } from "./failure.ts";
export { extensionRecordJsonSchema, updateRecordJsonSchema } from "@ashlar/verifier";
