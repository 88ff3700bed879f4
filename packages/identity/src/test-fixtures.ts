import type { KeyObject } from "node:crypto";
import { keyObjectOf, parsePublic } from "@ashlar/formats";

/** For tests of other packages: real evidence without a virtual machine. */
export { TestAuthority, TestNode } from "./test-node.ts";
export { KeyedMachine } from "./test-keyed-machine.ts";
/** Certificates as makers shape them. */
export {
  akExtensions,
  authorityExtensions,
  ekExtensions,
  issuerUrlExtension,
  testCertificate,
  type TestCertificate,
} from "@ashlar/formats/test-certificates";

/** Of a TPM's key, to make a certificate for it. */
export function publicKeyOf(tpm2bPublic: Uint8Array): KeyObject {
  return keyObjectOf(parsePublic(tpm2bPublic));
}
