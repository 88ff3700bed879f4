import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { AGENT_PORT } from "@ashlar/identity/agent-api";

function readUnit(name: string): string {
  return readFileSync(new URL(`../../../os/usr/lib/systemd/system/${name}`, import.meta.url), "utf8");
}

await test("the units use the port and the names that the agent expects", () => {
  const socket = readUnit("ashlar-agent.socket");
  assert.match(socket, new RegExp(`^ListenStream=${AGENT_PORT}$`, "mu"));
  assert.match(socket, /^FileDescriptorName=https$/mu);
  const service = readUnit("ashlar-agent.service");
  assert.match(service, /^OpenFile=\S+binary_bios_measurements:firmware-log:read-only,graceful$/mu);
  assert.match(service, /^OpenFile=\S+tpm2-measure\.log:userspace-log:read-only,graceful$/mu);
  assert.match(readUnit("ashlar-verity-status.socket"), /^ListenStream=\/run\/ashlar-verity-status\.socket$/mu);
});
