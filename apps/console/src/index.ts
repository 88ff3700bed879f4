/** The page of `ashlar console`, as files that a server gives. */
export { pageFiles } from "./page-files.ts";
