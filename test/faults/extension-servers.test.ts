/** Servers that lie about an extension's versions, or do not send all of it: what is merged stays, and is updated later. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { honest, HostileServer, instead } from "./hostile-server.ts";
import { declaring, ExtensionLab, type ExtensionTree, ExtensionWorld } from "../e2e/extension-lab.ts";
import { removeLabOnSignal } from "../e2e/world.ts";

const MINUTES = 60_000;
const NAME = "e2e-extension-servers";
const LIMIT = { timeout: 60 * MINUTES };
/** Of the server that is not the node's repository: in the configuration, which must be known before it is started. */
const PORT = 18_056;
const OLD = "v1.0";
const NEW = "v1.1";
const NEWER = "v1.2";
/**
 * Extensions alike: `own` comes from the node's repository, `foreign` from another server by a link and a transfer file,
 * `later` by a transfer file alone, as administrators of other systems write it, with a unit that the node is to start.
 */
const CONFIG = declaring(
  ["{name: own, version: v1.*, tier: opt-in}"],
  `    - path: /opt/extensions/foreign/foreign-${OLD}-x86-64.raw
      contents:
        source: http://10.0.2.2:${PORT}/extensions/foreign/foreign-${OLD}-x86-64.raw
    - path: /etc/sysupdate.foreign.d/foreign.transfer
      contents:
        inline: |
          [Transfer]
          Verify=no
          [Source]
          Type=url-file
          Path=http://10.0.2.2:${PORT}/extensions/foreign/
          MatchPattern=foreign-@v-%a.raw
          [Target]
          Path=/opt/extensions/foreign
          MatchPattern=foreign-@v-%a.raw
          CurrentSymlink=/etc/extensions/foreign.raw
    - path: /etc/sysupdate.later.d/50-later.transfer
      contents:
        inline: |
          [Source]
          Type=url-file
          Path=http://10.0.2.2:${PORT}/extensions/later/
          MatchPattern=later-@v-%a.raw
          [Target]
          InstancesMax=2
          Path=/var/lib/extensions.d/later
          MatchPattern=later-@v-%a.raw
          CurrentSymlink=/var/lib/extensions/later.raw
  links:
    - path: /etc/extensions/foreign.raw
      target: /opt/extensions/foreign/foreign-${OLD}-x86-64.raw
systemd:
  units:
    - {name: later.service, enabled: true}
`,
);
const world = new ExtensionWorld("extension-servers");
let lab: ExtensionLab;
let own: HostileServer;
let foreign: HostileServer;

removeLabOnSignal(NAME);

before(
  async () => {
    await world.make();
    await world.publish(versionOf("own", OLD), versionOf("foreign", OLD), withUnit(versionOf("later", OLD)));
    foreign = new HostileServer(world.repository, PORT);
    await foreign.start(honest);
    lab = await ExtensionLab.up(NAME, world, CONFIG);
    own = await HostileServer.inPlaceOf(lab.lab, world.repository);
    for (const version of [NEW, NEWER]) await world.publish(versionOf("own", version), versionOf("foreign", version));
  },
  { timeout: 60 * MINUTES },
);

after(async () => {
  await own.stop();
  await foreign.stop();
  await lab.down();
});

function versionOf(name: string, version: string): ExtensionTree {
  return { name, version, files: { [`usr/bin/${name}`]: `#!/bin/sh\necho ${version}\n` } };
}

function withUnit({ files, ...tree }: ExtensionTree): ExtensionTree {
  const service = `[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/${tree.name}\n`;
  const unit = `${service}[Install]\nWantedBy=multi-user.target\n`;
  return { ...tree, files: { ...files, [`usr/lib/systemd/system/${tree.name}.service`]: unit } };
}

async function expectRefusal(name: string, what: RegExp, to = NEW): Promise<void> {
  const { status, output } = await lab.root(`ashlar agent extensions update --component ${name} --to ${to} --retry`);
  assert.ok(status >= 64, output);
  assert.match(output, what);
  assert.deepEqual(await lab.merged(), [`foreign ${OLD}`, `own ${OLD}`]);
  assert.equal(await lab.mustRun(name), OLD);
}

test("the repository sends another version's blocks", LIMIT, async () => {
  const path = (version: string): string => `extensions/own/own-${version}-x86-64.blocks`;
  await own.start(instead(path(NEW), async ({ serve }) => await serve(path(NEWER))));
  await expectRefusal("own", /is not the file that was published|does not match|root hash/u);
});

test("the repository ends each answer early", LIMIT, async () => {
  await own.start(
    instead(".blocks", ({ range, response }) => {
      const { start = 0, end = 1 } = range ?? {};
      response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${end}` });
      response.end();
    }),
  );
  await expectRefusal("own", /expected more bytes|found the end/u);
});

test("another server sends an old version under a new name", LIMIT, async () => {
  const [image, sums] = [`foreign-${NEW}-x86-64.raw`, "SHA256SUMS"];
  const lie = await readFile(join(world.repository, `extensions/foreign/foreign-${OLD}-x86-64.raw`));
  await foreign.start(async ({ path, response, serve }) => {
    if (path.endsWith(sums)) response.end(`${hash("sha256", lie)}  ${image}\n`);
    else if (path.endsWith(image)) response.end(lie);
    else await serve();
  });
  await expectRefusal("foreign", new RegExp(`expected version ${NEW}, found ${OLD}`, "u"));
});

test("another server sends half of an image, and names it truly", LIMIT, async () => {
  await lab.mustRun(`rm -f /opt/extensions/foreign/foreign-${NEW}-x86-64.raw`);
  await foreign.start(
    instead(`foreign-${NEW}-x86-64.raw`, async ({ path, response }) => {
      const bytes = await readFile(join(world.repository, path));
      response.writeHead(200, { "content-length": bytes.length });
      response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
    }),
  );
  await expectRefusal("foreign", /systemd-sysupdate|sysupdate/u);
});

test("from honest servers both are updated, and the node is proven", LIMIT, async () => {
  await own.start(honest);
  await foreign.start(honest);
  for (const name of ["own", "foreign"]) {
    await lab.mustRun(`ashlar agent extensions update --component ${name} --to ${NEWER} --retry`);
    assert.equal(await lab.mustRun(name), NEWER);
  }
  const { status, node } = await lab.prove();
  assert.deepEqual([status, node.level], [0, "proven"], JSON.stringify(node.differences));
});

test(
  "a transfer file alone is enough: signed sums, the one place for images, and the unit is started",
  LIMIT,
  async () => {
    await lab.mustRun("ashlar agent extensions update --policy");
    assert.deepEqual(await lab.merged(), [`foreign ${NEWER}`, `later ${OLD}`, `own ${NEWER}`]);
    await lab.mustRun(`test -f /opt/extensions/later/later-${OLD}-x86-64.raw && systemctl is-active later.service`);
    assert.equal((await lab.prove()).node.level, "proven");
    // Whoever signs the sums with another key is not believed.
    await world.publish(versionOf("later", NEW));
    await foreign.start(instead("later/SHA256SUMS.gpg", ({ response }) => void response.end("no signature")));
    await lab.root("ashlar agent extensions update --component later");
    assert.equal(await lab.mustRun("later"), OLD);
    await foreign.start(honest);
  },
);

test("damaged images are fetched again when there is no other", LIMIT, async () => {
  await lab.mustRun("ashlar agent extensions update --component later");
  assert.equal(await lab.mustRun("later"), NEW);
  await lab.mustRun(`for image in /opt/extensions/later/*.raw; do
      printf x | dd of="$image" bs=1 seek=21508 conv=notrunc status=none
    done
    ashlar agent extensions apply`);
  assert.match((await lab.status()).setAside[0]?.reason ?? "", /damaged/u);
  await lab.mustRun("ashlar agent extensions update --policy");
  assert.equal(await lab.mustRun("later"), NEW);
});

test("three versions are kept, and the one that is merged is among them", LIMIT, async () => {
  const versions = ["v1.3", "v1.4", "v1.5"];
  await world.publish(...versions.map((version) => versionOf("own", version)));
  for (const version of versions) await lab.mustRun(`ashlar agent extensions update --component own --to ${version}`);
  const kept = await lab.mustRun("ls /opt/extensions/own");
  assert.deepEqual(
    kept.split("\n"),
    versions.map((version) => `own-${version}-x86-64.raw`),
  );
  await lab.mustRun("ashlar agent extensions update --component own --to v1.3 --allow-downgrade");
  await world.publish(versionOf("own", "v1.6"));
  await lab.mustRun("ashlar agent extensions update --component own --to v1.6");
  assert.match(await lab.mustRun("ls /opt/extensions/own"), /own-v1\.3-.*own-v1\.6-/su);
});
