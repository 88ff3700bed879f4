/** For tests of other packages: real evidence without a virtual machine. */
export { TestAuthority, TestNode } from "./test-node.ts";
/** Certificates as makers shape them. */
export {
  authorityExtensions,
  ekExtensions,
  issuerUrlExtension,
  testCertificate,
} from "@ashlar/formats/test-certificates";
