import assert from "node:assert/strict";
import { test } from "node:test";
import { otherPrograms } from "./other-programs.ts";

const options = { signal: undefined, onProgress: () => undefined };

test("a program that the recipe does not name, a version without digests", async () => {
  await assert.rejects(otherPrograms(["kube-prxy"], { ...options, version: "v1.33.4" }), {
    code: "invalid",
    message: /expected kube-prxy in go\.otherPackages/u,
  });
  await assert.rejects(otherPrograms(["kube-proxy"], { ...options, version: "v1.2.3" }), {
    code: "not-found",
    message: /expected digests of k8s\.io\/kubernetes v1\.2\.3/u,
  });
});
