/** An update of an extension survives power cuts at any moment. `npm run bench -- extension-power-cut` does more of them. */
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { cutPowerOfExtension } from "./extension-power-cut.ts";
import { removeLabOnSignal } from "../e2e/world.ts";

const MINUTES = 60_000;
const NAME = "e2e-extension-power";
/** Each costs a boot, of a minute or two under emulation. */
const CUTS = 2;
const seed = randomInt(2 ** 32);

removeLabOnSignal(NAME);

test(`${CUTS} power cuts, seed ${seed}`, { timeout: 60 * MINUTES }, async () => {
  await cutPowerOfExtension({ name: NAME, cuts: CUTS, seed, say: console.log });
});
