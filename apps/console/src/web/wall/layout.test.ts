import assert from "node:assert/strict";
import { test } from "node:test";
import { fittingWidth, layWall, move, placeOf, stoneAt, type Move } from "./layout.ts";

test("each stone has a place of its own, and is found there", () => {
  const layout = layWall([25, 1, 7], 400, 42);
  const seen = new Set<string>();
  for (let index = 0; index < 33; index += 1) {
    const place = placeOf(layout, index);
    assert.ok(place !== undefined);
    assert.ok(place.x >= 0 && place.x + place.width <= 400, `${index}`);
    seen.add(`${place.x} ${place.y}`);
    assert.equal(stoneAt(layout, place.x + 1, place.y + 1), index);
    assert.equal(stoneAt(layout, place.x + place.width - 1, place.y + place.height - 1), index);
  }
  assert.equal(seen.size, 33);
  assert.equal(placeOf(layout, 33), undefined);
  assert.equal(stoneAt(layout, 1, 1), undefined);
});

test("every second course is offset by half a stone", () => {
  const layout = layWall([25], 400, 42);
  const perRow = layout.sections[0]?.perRow ?? 0;
  const [first, below] = [placeOf(layout, 0), placeOf(layout, perRow)];
  assert.ok(first !== undefined && below !== undefined);
  assert.ok(Math.abs(below.x - first.x - (first.width + layout.stone.gapPx) / 2) < 1e-9);
  // It fills the wall.
  const last = placeOf(layout, 2 * perRow - 1);
  assert.equal(Math.round((last?.x ?? 0) + (last?.width ?? 0) + layout.stone.gapPx), 390);
});

test("ten thousand nodes fit into a window; two are large", () => {
  const many = layWall([9000, 600, 400], 1100, fittingWidth([9000, 600, 400], 1100, 760));
  assert.ok(many.heightPx <= 760, `${many.heightPx}`);
  assert.equal(fittingWidth([2], 1100, 760), 150);
  assert.equal(fittingWidth([100_000], 300, 100), 7);
});

test("keys move through the wall, and never out of it", () => {
  const layout = layWall([7, 2], 150, 42);
  assert.equal(layout.sections[0]?.perRow, 2);
  const go = (from: number, ...keys: readonly Move[]): number =>
    keys.reduce((at, key) => move(layout, at, key, 60), from);
  assert.equal(go(0, "left"), 0);
  assert.equal(go(0, "right"), 1);
  assert.equal(go(1, "down"), 3);
  assert.equal(go(5, "down"), 6);
  assert.equal(go(6, "down"), 7);
  assert.equal(go(8, "down"), 8);
  assert.equal(go(8, "up"), 6);
  assert.equal(go(0, "up"), 0);
  assert.equal(go(0, "end"), 8);
  assert.equal(go(8, "start"), 0);
  assert.equal(go(0, "page-down"), 2);
  assert.equal(move(layWall([], 150, 42), 0, "end", 60), -1);
});
