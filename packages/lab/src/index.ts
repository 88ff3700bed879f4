/**
 * A lab: nodes as virtual machines, each with its own disk and software TPM. There are no process ids on disk;
 * machines are found by their arguments.
 */
export { readBootInputs } from "./boot-inputs.ts";
export type { BootInput, BootInputGroup } from "./boot-inputs.ts";
export { findEffects, plantInputs } from "./plant-inputs.ts";
export { plainText } from "./boot-phase.ts";
export { openLab } from "./lab.ts";
export type { LabCluster } from "./cluster/start-cluster.ts";
export type { LabImage } from "./cluster/image-server.ts";
export type { ClusterStatus } from "./cluster/cluster-status.ts";
export type {
  Lab,
  LabClusterAccess,
  LabNode,
  LabRepositoryPlace,
  StartOptions,
  StopOptions,
  WaitForBootOptions,
} from "./lab.ts";
export { labDown } from "./lab-down.ts";
export { listLabs } from "./list-labs.ts";
export type { LabSummary } from "./list-labs.ts";
export { labUp } from "./lab-up.ts";
export type { LabConfig, LabRepository, LabUpOptions } from "./lab-up.ts";
export type { LabProgress } from "./lab-progress.ts";
export type { BootPhase } from "./boot-phase.ts";
export type { NodeStatus } from "./node-status.ts";
export { chooseAccelerator } from "./accelerator.ts";
export { requireTools } from "./tools.ts";
export type { Accelerator } from "./qemu-arguments.ts";
export { createProgressPrinter } from "./progress-printer.ts";
export type { ProgressOutput, ProgressPrinter } from "./progress-printer.ts";
export type { NodeProgress } from "./wait-for-node.ts";
