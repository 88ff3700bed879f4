/** For tests of other packages: documents and logs without a virtual machine. */
export { mergedWord, testExtension, withExtensionWords } from "./test-extension.ts";
export { testExtensionsStatus } from "./test-extensions-status.ts";
export { testNextBootReport } from "./test-next-boot.ts";
export {
  firmwareLogBytes,
  testDigest,
  osReleaseOf,
  TEST_MACHINE_ID,
  testLogs,
  testRelease,
  userspaceLogBytes,
} from "./test-release.ts";
export type { TestLogs } from "./test-release.ts";
export { testUpdateStatus } from "./test-update-status.ts";
