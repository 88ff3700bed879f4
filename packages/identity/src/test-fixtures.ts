/** For tests of other packages: real evidence without a virtual machine. */
export { TestAuthority, TestNode } from "./test-node.ts";
export { testNextBootReport } from "./test-next-boot.ts";
export { testExtensionsStatus } from "./test-extensions-status.ts";
export { mergedWord, testExtension, withExtensionWords } from "./test-extension.ts";
export { testLogs, testRelease } from "./test-release.ts";
export type { TestLogs } from "./test-release.ts";
export { testUpdateStatus } from "./test-update-status.ts";
