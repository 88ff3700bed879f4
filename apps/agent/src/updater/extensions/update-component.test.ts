import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import type { ExtensionPhase } from "@ashlar/protocol";
import type { ComponentChecks } from "./check-component.ts";
import { readComponentStates } from "../../extensions/component-state.ts";
import { readMergeRecord } from "../../extensions/merge-record.ts";
import { readDeclared } from "../../extensions/read-declared.ts";
import { imagePath } from "../../extensions/store.ts";
import { makeTestSigner } from "../../extensions/test-images.ts";
import { TestExtensionNode } from "../../extensions/test-extension-node.ts";
import { updateComponent } from "./update-component.ts";
import type { VersionSource, VersionWish } from "./version-source.ts";

const OLD = "v1.33.2";
const NEW = "v1.33.5";

/** A node with the old version merged, and a server with the new one. */
class Fixture implements Disposable {
  readonly node: TestExtensionNode = new TestExtensionNode();
  readonly phases: ExtensionPhase[] = [];
  readonly units: string[] = [];
  /** What the server does besides. */
  onInstall: () => void = () => undefined;
  health: (version: string) => void = () => undefined;
  fetched = 0;
  readonly interruption: AbortController = new AbortController();

  constructor() {
    this.node.declare("extensions:\n  - {name: kubernetes, version: v1.33.*, tier: community, updates: automatic}\n");
    this.node.store({ name: "kubernetes", version: OLD, files: { "usr/bin/kubelet": OLD } });
  }

  async merged(): Promise<string | undefined> {
    return (await readMergeRecord(this.node.paths.extensions)).merged[0]?.version;
  }

  async update(request: { to?: string; retry?: boolean } = {}, version = NEW): Promise<void> {
    const { paths } = this.node;
    const { declared } = await readDeclared(paths.extensions);
    const [extension] = declared;
    if (extension === undefined) throw new Error("nothing is declared");
    const source: VersionSource = {
      choose: async ({ failed, retry }: VersionWish) => {
        if (failed.includes(version) && retry !== true) throw new AshlarError("conflict", `${version} has failed`);
        return await Promise.resolve(version);
      },
      install: async () => {
        this.fetched += 1;
        this.node.store({ name: "kubernetes", version, files: { "usr/bin/kubelet": version } });
        await Promise.resolve(this.onInstall());
      },
    };
    await updateComponent(paths, extension, source, request, this.#checks, {
      signal: this.interruption.signal,
      report: ({ phase }) => void (phase === undefined ? 0 : this.phases.push(phase)),
    });
  }

  readonly apply = async (): Promise<void> => void (await this.node.apply());
  refresh: () => Promise<void> = this.apply;

  readonly #checks: ComponentChecks = {
    announceRefresh: () => undefined,
    refresh: async () => {
      await this.refresh();
    },
    switchUnits: async (before, after) => {
      await Promise.resolve(void this.units.push(`${before?.version} -> ${after.version}`));
    },
    checkHealth: async ({ version }) => {
      await Promise.resolve(this.health(version));
    },
  };

  [Symbol.dispose](): void {
    this.node[Symbol.dispose]();
  }
}

test("a newer version is merged without a reboot, and stays over reboots", async () => {
  using fixture = new Fixture();
  const { node } = fixture;
  await node.apply();
  await fixture.update();
  assert.deepEqual([await fixture.merged(), fixture.units], [NEW, [`${OLD} -> ${NEW}`]]);
  assert.deepEqual(fixture.phases, ["merging", "checking-health"]);
  const { components } = await readComponentStates(node.paths.extensions);
  assert.deepEqual([components["kubernetes"]?.current, components["kubernetes"]?.former], [NEW, OLD]);
  node.reboot("boot-2");
  await node.apply();
  assert.equal(await fixture.merged(), NEW);
  // What runs already is not fetched again.
  await fixture.update();
  assert.equal(fixture.fetched, 1);
});

test("a version whose health check fails gives way to the former one, and is not tried again unless asked", async () => {
  using fixture = new Fixture();
  const { node } = fixture;
  await node.apply();
  fixture.health = (version) => {
    if (version === NEW) throw new AshlarError("failed", "the kubelet does not answer");
  };
  await assert.rejects(fixture.update(), /does not answer/u);
  assert.deepEqual([await fixture.merged(), fixture.units], [OLD, [`${OLD} -> ${NEW}`, `${NEW} -> ${OLD}`]]);
  assert.equal(fixture.phases.at(-1), "reverting");
  const { failures, components } = await readComponentStates(node.paths.extensions);
  assert.deepEqual([failures[0]?.version, failures[0]?.check, components["kubernetes"]?.trial], [NEW, "health", null]);
  await assert.rejects(fixture.update(), { code: "conflict" });
  node.reboot("boot-2");
  await node.apply();
  assert.equal(await fixture.merged(), OLD);
  fixture.health = () => undefined;
  await fixture.update({ retry: true });
  assert.equal(await fixture.merged(), NEW);
  assert.deepEqual((await readComponentStates(node.paths.extensions)).failures, []);
});

test("a power cut during the trial: the next boot has the former version; the third one in a row is the last", async () => {
  using fixture = new Fixture();
  const { node } = fixture;
  await node.apply();
  for (const attempt of [1, 2, 3]) {
    // The image is in the store; nothing that would follow is ever done.
    const reached = Promise.withResolvers<void>();
    fixture.refresh = async () => {
      reached.resolve();
      await new Promise(() => undefined);
    };
    void fixture.update();
    await reached.promise;
    const { components } = await readComponentStates(node.paths.extensions);
    assert.equal(components["kubernetes"]?.trial?.attempts, attempt);
    node.reboot(`boot-${attempt + 1}`);
    await node.apply();
    assert.equal(await fixture.merged(), OLD);
  }
  fixture.refresh = fixture.apply;
  await assert.rejects(fixture.update(), { code: "conflict", message: /was tried 3 times/u });
  await fixture.update({ retry: true });
  assert.equal(await fixture.merged(), NEW);
});

test("an image that nobody may merge is thrown away, recorded, and nothing changes", async () => {
  using fixture = new Fixture();
  const { node } = fixture;
  await node.apply();
  const path = imagePath(node.paths.extensions, "kubernetes", NEW);
  fixture.onInstall = () => void node.store({ name: "kubernetes", version: NEW }, makeTestSigner());
  await assert.rejects(fixture.update(), { code: "untrusted", message: /trusted certificate/u });
  assert.deepEqual([await fixture.merged(), existsSync(path), fixture.units], [OLD, false, []]);
  // Right signature, but of another version: a server that lies about what it sends.
  fixture.onInstall = () => {
    const other = node.store({ name: "kubernetes", version: "v1.33.1" });
    mkdirSync(dirname(path), { recursive: true });
    copyFileSync(other, path);
    rmSync(other);
  };
  await assert.rejects(fixture.update({ retry: true }), /expected version v1\.33\.5, found v1\.33\.1/u);
  assert.equal((await readComponentStates(node.paths.extensions)).failures.length, 1);
});

test("a server that does not answer says nothing about the version", async () => {
  using fixture = new Fixture();
  await fixture.node.apply();
  fixture.onInstall = () => {
    throw new AshlarError("unavailable", "no connection");
  };
  await assert.rejects(fixture.update({}, "v1.33.6"), { code: "unavailable" });
  assert.deepEqual((await readComponentStates(fixture.node.paths.extensions)).failures, []);
});

test("an order that is interrupted says nothing about the version, whatever fails then", async () => {
  using fixture = new Fixture();
  await fixture.node.apply();
  fixture.health = (version) => {
    if (version !== NEW) return;
    fixture.interruption.abort();
    throw new AshlarError("failed", "ended by a signal");
  };
  await assert.rejects(fixture.update(), /signal/u);
  assert.equal(await fixture.merged(), OLD);
  assert.deepEqual((await readComponentStates(fixture.node.paths.extensions)).failures, []);
});

test("a refresher that fails says nothing about the version; what it may have merged is taken back", async () => {
  using fixture = new Fixture();
  const { node } = fixture;
  await node.apply();
  fixture.refresh = async () => {
    await fixture.apply();
    fixture.refresh = fixture.apply;
    throw new AshlarError("unavailable", "no answer in time");
  };
  await assert.rejects(fixture.update(), { code: "unavailable" });
  assert.equal(await fixture.merged(), OLD);
  const { failures, components } = await readComponentStates(node.paths.extensions);
  assert.deepEqual([failures, components["kubernetes"]?.trial], [[], null]);
  fixture.refresh = async () => await Promise.reject(new AshlarError("unavailable", "no answer at all"));
  await assert.rejects(fixture.update(), {
    code: "failed",
    message: /no answer at all; and .* could not be restored/u,
  });
});

test("what is set aside at the merge is a failure of the version", async () => {
  using fixture = new Fixture();
  const { node } = fixture;
  await node.apply();
  node.broken.add(`kubernetes-${NEW}`);
  await assert.rejects(fixture.update(), /is not merged: it cannot be merged/u);
  assert.equal(await fixture.merged(), OLD);
  assert.deepEqual(fixture.units, []);
  assert.equal((await readComponentStates(node.paths.extensions)).failures[0]?.check, "merge");
});

test("an extension that is not merged is not updated", async () => {
  using fixture = new Fixture();
  await assert.rejects(fixture.update(), { code: "not-found" });
});
