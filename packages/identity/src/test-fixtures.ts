/** For tests of other packages: real evidence without a virtual machine. */
export { TestAuthority, TestNode } from "./test-node.ts";
