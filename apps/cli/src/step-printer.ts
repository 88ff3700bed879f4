import { clock, reportLine } from "@ashlar/host/terminal";
/** Prints the steps of a long piece of work to standard error, each with the time since the beginning. */
export function createStepPrinter(): (message: string) => void {
  const start = performance.now();
  return (message) => {
    const seconds = Math.floor((performance.now() - start) / 1000);
    reportLine(`${clock(seconds * 1000).padStart(6)}  ${message}`);
  };
}
