/** An update survives power cuts at any moment. `npm run bench -- power-cut 100` does more of them, on two guests. */
import { randomInt } from "node:crypto";
import { before, test } from "node:test";
import { cutPower } from "./power-cut.ts";
import { makeReleases, type Releases } from "../e2e/update-releases.ts";
import { removeLabOnSignal } from "../e2e/world.ts";

const MINUTES = 60_000;
const NAME = "e2e-power";
/** Each costs a boot, of a minute or two under emulation. */
const CUTS = 2;
const seed = randomInt(2 ** 32);
let releases: Releases;

removeLabOnSignal(NAME);

before(async () => void (releases = await makeReleases()), { timeout: 60 * MINUTES });

test(`${CUTS} power cuts, seed ${seed}`, { timeout: 60 * MINUTES }, async () => {
  await cutPower({ name: NAME, releases, cuts: CUTS, seed, say: console.log });
});
