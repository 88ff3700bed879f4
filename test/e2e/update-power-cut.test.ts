/** An update survives power cuts at any moment. `npm run bench -- power-cut 100` does more of them. */
import { randomInt } from "node:crypto";
import { before, suite, test } from "node:test";
import { cutPower } from "./power-cut.ts";
import { makeReleases, type Releases } from "./update-releases.ts";
import { removeLabOnSignal } from "./world.ts";

const MINUTES = 60_000;
const NAMES = ["e2e-power-a", "e2e-power-b"];
const CUTS_EACH = 10;
const seeds = NAMES.map(() => randomInt(2 ** 32));
let releases: Releases;

removeLabOnSignal(...NAMES);

before(async () => void (releases = await makeReleases()), { timeout: 40 * MINUTES });

// Two machines at once: while one waits, the other one works.
suite("power cuts", { concurrency: NAMES.length }, () => {
  for (const [index, name] of NAMES.entries()) {
    const seed = seeds[index] ?? 0;
    test(`${CUTS_EACH} power cuts, seed ${seed}`, { timeout: 60 * MINUTES }, async () => {
      await cutPower({ name, releases, cuts: CUTS_EACH, seed, say: console.log });
    });
  }
});
