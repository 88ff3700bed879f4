/**
 * The whole of loader/loader.conf on a node's ESP (loader.conf(5)): no menu and no editor, and no default entry, so that
 * the order of the entries decides.
 */
export const LOADER_CONFIG = "timeout 0\neditor no\n";
