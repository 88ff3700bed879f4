import { drawn, joinDrawn, styled, type Drawn } from "@ashlar/host/terminal";
import type { BootPhase } from "./boot-phase.ts";
import type { LabProgress } from "./lab-progress.ts";
import type { NodeProgress } from "./wait-for-node.ts";

export type ProgressOutput = {
  readonly write: (text: Drawn) => void;
  /** Whether lines can be drawn again in place. */
  readonly isTerminal: boolean;
  /** A clock that only goes forward. */
  readonly nowMs: () => number;
};

export type ProgressPrinter = {
  readonly report: (progress: LabProgress) => void;
  /** Ends the drawing; the last state stays on the screen. */
  readonly close: () => void;
};

type Step = { readonly phase: BootPhase; readonly atSeconds: number };
type NodeSteps = { readonly startedMs: number; readonly steps: readonly Step[] };

const HEARTBEAT_MS = 30_000;
const REDRAW_MS = 1000;

/**
 * Shows how far each node has come. A terminal has one line per node, drawn again every second. Elsewhere every change is
 * a line, and a line every half minute says that the lab still lives.
 */
export function createProgressPrinter(output: ProgressOutput): ProgressPrinter {
  return output.isTerminal ? terminalPrinter(output) : linePrinter(output);
}

function linePrinter({ write, nowMs }: ProgressOutput): ProgressPrinter {
  const nodes = new Map<string, NodeSteps>();
  const heartbeat = setInterval(() => {
    const waiting = [...nodes].filter(([, node]) => node.steps.at(-1)?.phase !== "agent");
    if (waiting.length > 0)
      write(drawn`still starting: ${waiting.map(([name, node]) => summary(name, node, nowMs())).join(", ")}\n`);
  }, HEARTBEAT_MS);
  return {
    report: (progress) => {
      heartbeat.refresh();
      if ("message" in progress) return write(drawn`${progress.message}\n`);
      nodes.set(progress.node, withStep(nodes.get(progress.node), progress, nowMs()));
      return write(drawn`${progress.node}: ${label(progress.phase)} (${Math.round(progress.seconds)} s)\n`);
    },
    close: () => clearInterval(heartbeat),
  };
}

function summary(name: string, node: NodeSteps, nowMs: number): string {
  return `${name} ${label(node.steps.at(-1)?.phase ?? "firmware")} (${Math.round((nowMs - node.startedMs) / 1000)} s)`;
}

function terminalPrinter({ write, nowMs }: ProgressOutput): ProgressPrinter {
  const nodes = new Map<string, NodeSteps>();
  let drawnLines = 0;
  const erase = (): Drawn => (drawnLines === 0 ? drawn`` : drawn`\u001B[${drawnLines}A\u001B[J`);
  const draw = (before: Drawn = drawn``): void => {
    const lines = [...nodes].map(([name, node]) => drawn`${nodeLine(name, node, nowMs())}\n`);
    write(joinDrawn([erase(), before, ...lines], ""));
    drawnLines = lines.length;
  };
  const redraw = setInterval(draw, REDRAW_MS);
  return {
    report: (progress) => {
      if ("message" in progress) return draw(drawn`${progress.message}\n`);
      nodes.set(progress.node, withStep(nodes.get(progress.node), progress, nowMs()));
      return draw();
    },
    close: () => {
      clearInterval(redraw);
      draw();
    },
  };
}

/** A machine that restarts by itself begins anew. */
function withStep(node: NodeSteps | undefined, { phase, seconds }: NodeProgress, nowMs: number): NodeSteps {
  const startedMs = node?.startedMs ?? nowMs - seconds * 1000;
  const before = phase === "firmware" ? [] : (node?.steps ?? []);
  return { startedMs, steps: [...before, { phase, atSeconds: seconds }] };
}

/** For example `node-1  firmware 12 s  initrd 31 s  Ignition ...  (47 s)`. */
function nodeLine(name: string, node: NodeSteps, nowMs: number): Drawn {
  const parts = node.steps.map((step, index) => {
    const end = node.steps[index + 1]?.atSeconds;
    if (step.phase === "agent") return paint("green", `up after ${Math.round(step.atSeconds)} s`);
    if (end === undefined)
      return paint("bold", `${label(step.phase)} ${Math.round((nowMs - node.startedMs) / 1000)} s`);
    return paint("dim", `${label(step.phase)} ${Math.round(end - step.atSeconds)} s`);
  });
  return drawn`${name}  ${joinDrawn(parts, "  ")}`;
}

function paint(style: "green" | "bold" | "dim", text: string): Drawn {
  return styled(style, text, "stderr");
}

const LABELS: Readonly<Record<BootPhase, string>> = {
  firmware: "firmware",
  initrd: "initrd",
  ignition: "Ignition",
  system: "system",
  agent: "agent up",
};

function label(phase: BootPhase): string {
  return LABELS[phase];
}
