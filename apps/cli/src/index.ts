export { createProgram } from "./program.ts";
export { HELP_BUNDLE } from "./program.ts";
export { underName } from "./root-command.ts";
export { writeBundle } from "./quick-start/bundle.ts";
export { HOST_PACKAGES } from "./setup/host-packages.ts";
export type { HostPackage } from "./setup/host-packages.ts";
