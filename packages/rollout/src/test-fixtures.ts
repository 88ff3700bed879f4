/** What tests of this package and of others share. */
export * from "./drive/test-extension-machine.ts";
export { TEST_GOAL } from "./turn/test-goal.ts";
