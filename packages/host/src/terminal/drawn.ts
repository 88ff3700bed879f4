import { styleText } from "node:util";
import { printable } from "@ashlar/base";

/** A text that may go to a terminal as it is: only the program itself has put line ends, colours and movements into it. */
export class Drawn {
  readonly #text: string;

  /** Only for this folder: everything else draws with {@link drawn} and {@link styled}. */
  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** Text for a line, or what has been drawn already. */
export type Printed = string | Drawn;

/** What stands in the template is the program's own; what is put into it is made {@link printable}. */
export function drawn(parts: TemplateStringsArray, ...values: readonly (Printed | number)[]): Drawn {
  return new Drawn(
    parts.map((part, index) => (index === 0 ? part : `${ready(values[index - 1] ?? "")}${part}`)).join(""),
  );
}

/** Several pieces in one, with something of the program's own between them. */
export function joinDrawn(pieces: readonly Printed[], between: "" | " " | "  " | "\n" | ", "): Drawn {
  return new Drawn(pieces.map(ready).join(between));
}

type Style = Parameters<typeof styleText>[0];

/** Coloured where the stream is a terminal that shows colours. */
export function styled(style: Style, text: string, stream: "stdout" | "stderr" = "stdout"): Drawn {
  return new Drawn(styleText(style, printable(text), { stream: process[stream] }));
}

function ready(value: Printed | number): string {
  return value instanceof Drawn ? value.toString() : printable(String(value));
}
