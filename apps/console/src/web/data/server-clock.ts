/** When an answer has come: what its server's clock said, and both clocks of the browser. */
export type Received = { readonly serverMs: number; readonly monotonicMs: number; readonly wallMs: number };

/**
 * What the server's clock says by now, as far as the browser can tell. That the browser's clock is wrong by a day changes nothing: only
 * the time that has passed since the answer counts. Of two clocks the one that says more: one stands still while the machine
 * sleeps, and the other may be set back.
 */
export function serverNow(received: Received, monotonicMs: number, wallMs: number): number {
  return received.serverMs + Math.max(0, monotonicMs - received.monotonicMs, wallMs - received.wallMs);
}
