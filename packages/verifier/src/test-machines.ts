/** For tests of proving: two machines that run what was declared, and a verifier that knows neither yet. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { parseEkRoots } from "@ashlar/identity";
import { TestAuthority, TestNode } from "@ashlar/identity/test-fixtures";
import type { ProveNodesOptions } from "./prove-nodes.ts";
import type { ProveOptions } from "./prove-options.ts";
import { LOGS } from "./test-declared.ts";

export const authority: TestAuthority = new TestAuthority();
export const node: TestNode = new TestNode(authority);
export const otherNode: TestNode = new TestNode(authority);
for (const each of [node, otherNode]) each.boot(LOGS);

/** Removed after the tests of the file that loads this. */
export const directory: string = mkdtempSync(join(tmpdir(), "ashlar-prove-"));
after(() => rmSync(directory, { recursive: true, force: true }));

export const JUDGING: ProveOptions = { ekRoots: parseEkRoots(authority.roots), candidates: [], maxAgeMs: 60_000 };

let verifiers = 0;

/** Of a verifier that has no pins. */
export function newVerifier(): ProveNodesOptions {
  verifiers += 1;
  return { ...JUDGING, pinsPath: join(directory, `state-${verifiers}`, "pins.json") };
}
