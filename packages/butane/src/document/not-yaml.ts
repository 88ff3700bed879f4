/** Thrown inside the reader where a text does not follow YAML, to end reading. */
export class NotYaml extends Error {
  readonly offset: number;
  readonly hint?: string;

  constructor(message: string, offset: number, hint?: string) {
    super(message);
    this.offset = offset;
    if (hint !== undefined) this.hint = hint;
  }
}
