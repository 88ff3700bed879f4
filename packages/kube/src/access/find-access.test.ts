import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { findAccess, podNamespace } from "./find-access.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-service-account-"));
after(() => rmSync(directory, { recursive: true }));
const IN_A_POD = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" };

test("in a pod its service account is who asks, read anew each time, and no server is trusted without its CA", async () => {
  const { server, authority, login } = await findAccess({}, IN_A_POD, directory);
  assert.equal(server.href, "https://10.96.0.1/");
  assert.deepEqual(authority, { path: join(directory, "ca.crt") });
  assert.deepEqual(login, { kind: "token-file", path: join(directory, "token") });
  const six = await findAccess({}, { ...IN_A_POD, KUBERNETES_SERVICE_HOST: "fd00::1" }, directory);
  assert.equal(six.server.href, "https://[fd00::1]/");
  assert.equal(await podNamespace(directory), undefined);
  writeFileSync(join(directory, "namespace"), "ashlar-system\n");
  assert.equal(await podNamespace(directory), "ashlar-system");
});

test("a kubeconfig that is named wins over the pod's own; outside of a pod one is looked for", async () => {
  const missing = join(directory, "none");
  await assert.rejects(findAccess({ kubeconfig: missing }, IN_A_POD, directory), { code: "not-found" });
  await assert.rejects(findAccess({}, { HOME: directory }, directory), /expected a kubeconfig at .*\.kube\/config/u);
  const strange = { ...IN_A_POD, KUBERNETES_SERVICE_HOST: "a b" };
  await assert.rejects(findAccess({}, strange, directory), { code: "invalid" });
});
