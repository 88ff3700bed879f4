export { imageOf, summaryFor, treeOf } from "./test-repository.ts";
export { withServer } from "./test-server.ts";
