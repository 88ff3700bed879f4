import assert from "node:assert/strict";
import { test } from "node:test";
import { linkedModules } from "./go-programs.ts";

test("modules of programs: each once, without those that stood in the source tree", () => {
  const text = [
    "/x/usr/bin/kubelet: go1.24.4",
    "\tpath\tk8s.io/kubernetes/cmd/kubelet",
    "\tmod\tk8s.io/kubernetes\t(devel)\t",
    "\tdep\tcel.dev/expr\tv0.19.1\th1:NciYrtDRIR0lNCnH1LFJegdjspNx9fI59O7TWcua/W4=",
    "\tdep\tk8s.io/api\tv0.0.0\t",
    "\t=>\t./staging/src/k8s.io/api\t(devel)\t",
    "/x/usr/bin/kubectl: go1.24.4",
    "\tdep\tcel.dev/expr\tv0.19.1\th1:NciYrtDRIR0lNCnH1LFJegdjspNx9fI59O7TWcua/W4=",
    "\tbuild\t-trimpath=true",
  ];
  assert.deepEqual(linkedModules(text.join("\n")), [
    { path: "cel.dev/expr", version: "v0.19.1", sum: "h1:NciYrtDRIR0lNCnH1LFJegdjspNx9fI59O7TWcua/W4=" },
  ]);
});
