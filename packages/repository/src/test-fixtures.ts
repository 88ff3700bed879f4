export { imageOf, summaryFor, treeOf } from "./test-repository.ts";
