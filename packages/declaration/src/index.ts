/** What a node was declared to be: Ignition configs, `extensions.yaml`, `update.yaml`, `boot.yaml`, `cluster.yaml` and units that join. */
export { declaredBoot, parseBootFile } from "./boot/declared-boot.ts";
export type { DeclarationProblem } from "./declaration-problem.ts";
export { CLUSTER_FILE, declaredCluster } from "./cluster/declared-cluster.ts";
export { EXTENSIONS_FILE, declaredExtensions, isTransferPath, transfersInForce } from "./extensions/declaration.ts";
export { declaredInConfigs } from "./extensions/declared-in-configs.ts";
export { findDeclarationProblems } from "./find-declaration-problems.ts";
export { parseTransferFile } from "./extensions/transfer-file.ts";
export { parseConfig, readDataUrl } from "./ignition/read-config.ts";
export { findUnpinnedSources } from "./ignition/unpinned-sources.ts";
export { endOfWindow, isInWindow, nextBeginning, WEEKDAYS } from "./update/maintenance-window.ts";
export type { MaintenanceWindow } from "./update/maintenance-window.ts";
export { isTimeZone, parsePolicy } from "./update/policy.ts";
export type { UpdatePolicy } from "./update/policy.ts";
export { YamlReader, readYaml } from "./yaml-document.ts";
export type { YamlNode } from "./yaml-document.ts";
export { parseExtensionsFile } from "./extensions/extensions-file.ts";
export type { DeclaredExtension } from "./extensions/declared-extension.ts";
