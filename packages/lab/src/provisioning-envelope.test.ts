import assert from "node:assert/strict";
import { test } from "node:test";
import { labNodeConfig, provisioningEnvelope } from "./provisioning-envelope.ts";

test("the envelope has exactly the agreed bytes: node part first, class part last", () => {
  const envelope = provisioningEnvelope({ nodeConfig: Buffer.from("node"), classConfig: Buffer.from("class") });
  assert.equal(
    envelope,
    '{"ignition":{"version":"3.3.0","config":{"merge":[{"source":"data:;base64,bm9kZQ=="},{"source":"data:;base64,Y2xhc3M="}]}}}',
  );
});

test("an absent part is carried as no bytes", () => {
  const envelope = provisioningEnvelope({ nodeConfig: new Uint8Array(), classConfig: Buffer.from([0xff]) });
  assert.match(envelope, /\{"source":"data:;base64,"\},\{"source":"data:;base64,\/w=="\}/u);
});

test("a node's own part names it and lets the lab in", () => {
  assert.equal(
    labNodeConfig("node-1", "ssh-ed25519 AAAA lab"),
    '{"ignition":{"version":"3.3.0"},' +
      '"passwd":{"users":[{"name":"core","sshAuthorizedKeys":["ssh-ed25519 AAAA lab"]}]},' +
      '"storage":{"files":[{"contents":{"source":"data:,node-1%0A"},"mode":420,"overwrite":true,"path":"/etc/hostname"}]}}',
  );
});

test("a node that gets updates knows from where, from whom and by which keys", () => {
  const updates = { repositoryUrl: "http://10.0.2.2:22002/", operatorPin: "sha256:ab", releaseRoot: undefined };
  const files = (config: string): string[] => config.match(/data:,[^"]*/gu)?.map(decodeURIComponent) ?? [];
  const policy = "repository: http://10.0.2.2:22002/\nchannel: stable\noperators:\n  - sha256:ab\nreboot: never\n";
  assert.deepEqual(files(labNodeConfig("n", "key", { updates })), ["data:,n\n", `data:,${policy}`]);
  const withRoot = labNodeConfig("n", "key", { updates: { ...updates, releaseRoot: Buffer.from('{"é":1}') } });
  assert.equal(files(withRoot)[2], 'data:,{"é":1}');
  assert.match(withRoot, /"path":"\/etc\/ashlar\/release-root\.json"/u);
});

test("a lab's node asks the lab's name server and no other", () => {
  const config = labNodeConfig("n", "key", { namePort: 22_007 });
  assert.match(config, /"path":"\/etc\/systemd\/network\/80-ashlar-dhcp\.network\.d\/10-lab\.conf"/u);
  const [, text = ""] = /data:,(%5BNetwork%5D[^"]*)/u.exec(config) ?? [];
  const others = ["DHCPv4", "DHCPv6", "IPv6AcceptRA"].map((section) => `[${section}]\nUseDNS=no\n`);
  assert.equal(decodeURIComponent(text), `[Network]\nDNS=10.0.2.2:22007\n${others.join("")}`);
});
