export { pluginFiles } from "./plugin-files.ts";
export type { PluginFiles } from "./plugin-files.ts";
