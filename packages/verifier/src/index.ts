/**
 * The input and output of proving: asks agents over TLS, keeps pins, evidence and records, and has `identity` judge
 * all of it.
 */
export { fetchIntermediates } from "./fetch-intermediates.ts";
export { addTrusted, listTrusted, removeTrusted } from "./trust-store.ts";
export type { TrustedMaker } from "./trust-store.ts";
export { AgentClient } from "./agent-client.ts";
export type { AgentClientOptions, Order, ProvenPeer } from "./agent-client.ts";
export { parseMachineFacts } from "./machine/machine-facts.ts";
export { askMachine } from "./machine/ask-machine.ts";
export { judgeMachine } from "./machine/judge-machine.ts";
export type { MachineCheck, MachineReport } from "./machine/judge-machine.ts";
export { saveMachine } from "./machine/save-machine.ts";
export { ekDigestOfFile, openVouchedEks, signVouchedEks } from "./vouched-eks.ts";
export type { VouchedEk } from "./vouched-eks.ts";
export { addKnownFirmware, readFirmwarePolicy } from "./firmware-policy.ts";
export { addPins, pinSchema, readPins } from "./pin-store.ts";
export type { Pin } from "./pin-store.ts";
export { findSharer } from "./shared-tpm.ts";
export { proveNode, proveNodes } from "./prove-nodes.ts";
export type { FindOther } from "./prove-nodes.ts";
export type { FleetProof, NodeTarget, ProvedNode, ProveNodeOptions, ProveNodesOptions } from "./prove-nodes.ts";
export { proveStored } from "./prove-stored.ts";
export type { SeenAnswer } from "./stored/judge-stored.ts";
export type { ProveStoredOptions } from "./prove-stored.ts";
export type { StoredAnswer } from "./stored/answer.ts";
export { digestOfAnswer, digestOfStoredAnswer } from "./stored/digest-answer.ts";
export { readStoredFleet } from "./stored/read-fleet.ts";
export type { FoundFleet, StoredFleet } from "./stored/read-fleet.ts";
export { assembleAnswer, readStoredAnswer } from "./stored/read-answer.ts";
export type { ReadAnswer } from "./stored/read-answer.ts";
export { filesOf as filesOfAnswer, writeStoredAnswer } from "./stored/write-answer.ts";
export { writeStoredFleet } from "./stored/write-fleet.ts";
export type { ProveOptions } from "./prove-options.ts";
export { pemOf, readEkRoots, readTrust, trustStorePath } from "./ek-roots-files.ts";
export type { TrustSources } from "./ek-roots-files.ts";
export { appendCertificate } from "./history/append-certificate.ts";
export type { Appended } from "./history/append-certificate.ts";
export { logTransport, openLog, readLoggedCertificate } from "./history/open-log.ts";
export type { Log } from "./history/open-log.ts";
export { cosignLog } from "./history/cosign-log.ts";
export { checkQuorum, verifyLog } from "./history/verify-log.ts";
export type { LogProblem, LogReport, Quorum } from "./history/verify-log.ts";
