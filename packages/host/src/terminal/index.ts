/**
 * What people and programs read of a command: lines, drawings and JSON on standard output and standard error. Text that
 * anybody else has made is printed as text, never as an instruction to the terminal.
 */
export { alignColumns } from "./align.ts";
export { clock } from "./clock.ts";
export { endWithReader } from "./closed-pipe.ts";
export { Drawn, drawn, joinDrawn, styled } from "./drawn.ts";
export type { Printed } from "./drawn.ts";
export {
  draw,
  drawsOnTerminal,
  printData,
  printJson,
  printLine,
  printLines,
  reportBug,
  reportError,
  reportLine,
  reportLines,
  reportText,
} from "./print.ts";
export { parseArguments, printHelp, runStep } from "./step.ts";
