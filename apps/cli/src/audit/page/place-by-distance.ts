const ROUNDS = 200;

/** Points in the plane of which the distances are nearly these: classical multidimensional scaling (Torgerson 1952). */
export function placeByDistance(distances: readonly (readonly number[])[]): readonly (readonly [number, number])[] {
  const count = distances.length;
  const squares = distances.map((row) => row.map((value) => value * value));
  const means = squares.map((row) => row.reduce((sum, value) => sum + value, 0) / count);
  const mean = means.reduce((sum, value) => sum + value, 0) / count;
  const centred = squares.map((row, one) =>
    row.map((value, other) => -(value - (means[one] ?? 0) - (means[other] ?? 0) + mean) / 2),
  );
  const first = strongest(centred, []);
  const second = strongest(centred, [first.direction]);
  return distances.map((_, index) => [
    (first.direction[index] ?? 0) * Math.sqrt(Math.max(0, first.strength)),
    (second.direction[index] ?? 0) * Math.sqrt(Math.max(0, second.strength)),
  ]);
}

type Axis = { readonly direction: readonly number[]; readonly strength: number };

/** The eigenvector with the largest eigenvalue, at right angles to others, by repeated multiplication. */
function strongest(matrix: readonly (readonly number[])[], others: readonly (readonly number[])[]): Axis {
  // Any start that is not at right angles to what is looked for: the same each time.
  let direction = normal(
    without(
      matrix.map((_, index) => Math.sin(index + 1)),
      others,
    ),
  );
  let strength = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const next = without(
      matrix.map((row) => dot(row, direction)),
      others,
    );
    strength = dot(next, direction);
    direction = normal(next);
  }
  return { direction, strength };
}

function without(vector: readonly number[], others: readonly (readonly number[])[]): readonly number[] {
  let rest = vector;
  for (const other of others) {
    const part = dot(rest, other);
    rest = rest.map((value, index) => value - part * (other[index] ?? 0));
  }
  return rest;
}

function dot(one: readonly number[], other: readonly number[]): number {
  return one.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0);
}

function normal(vector: readonly number[]): readonly number[] {
  const length = Math.sqrt(dot(vector, vector));
  return length < 1e-12 ? vector.map(() => 0) : vector.map((value) => value / length);
}
