/** Every way to change one member of a JSON value to one of these, to leave it out, or to add one. */
export function* mutations(value: unknown, replacements: readonly unknown[]): Generator {
  yield* replacements;
  if (Array.isArray(value)) {
    for (const [index, member] of value.entries()) {
      for (const changed of mutations(member, replacements)) yield value.with(index, changed);
    }
  } else if (typeof value === "object" && value !== null) {
    yield { ...value, more: 1 };
    for (const [name, member] of Object.entries(value)) {
      const { [name]: _, ...rest } = { ...value } as Record<string, unknown>;
      yield rest;
      for (const changed of mutations(member, replacements)) yield { ...value, [name]: changed };
    }
  }
}
