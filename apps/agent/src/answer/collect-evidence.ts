import { setTimeout } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import type { MeasurementLog } from "./measurement-log.ts";
import type { Quote } from "./quote.ts";

export type QuoteWithLogs = { readonly quote: Quote; readonly firmwareLog: Buffer; readonly userspaceLog: Buffer };

/** While a node boots, measurements come some seconds apart; then none come at all. */
const MAX_ATTEMPTS = 4;
const PAUSE_MS = 250;

/**
 * A quote and the logs that belong to it. A measurement that comes in between would make an honest node look tampered
 * with, so quote again. If the log never rests, hand out what there is: judging it is the verifier's part.
 */
export async function quoteWithLogs(
  quote: () => Promise<Quote>,
  firmwareLog: MeasurementLog,
  userspaceLog: MeasurementLog,
): Promise<QuoteWithLogs> {
  for (let attempt = 1; ; attempt += 1) {
    const sizeBefore = userspaceLog.settledSize();
    const isLast = attempt === MAX_ATTEMPTS;
    const quoted = await quote().catch((error: unknown) => {
      // tpm2_quote itself found that the PCRs had changed, or the TPM was busy.
      if (isLast || !(error instanceof AshlarError) || error.code !== "failed") throw error;
      return undefined;
    });
    const result = { firmwareLog: firmwareLog.read(), userspaceLog: userspaceLog.read() };
    const sizeAfter = userspaceLog.settledSize();
    const belongTogether = sizeBefore !== undefined && sizeBefore === sizeAfter;
    if (quoted !== undefined && (belongTogether || isLast)) return { quote: quoted, ...result };
    await setTimeout(PAUSE_MS);
  }
}
