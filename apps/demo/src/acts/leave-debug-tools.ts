import { levelWithNextBoot, type NamedVerdict } from "@ashlar/identity";
import type { Lab } from "@ashlar/lab";
import type { Outcome, Stage } from "../stage.ts";

/** tcpdump and its like, an extension that no node declares. */
export const DEBUG_TOOLS = "debug-tools";
const NODE = "node-1";
/** Longer than the node will run: the session is forgotten, and nobody ends it. */
const DURATION = "4h";

export type DebugSession = {
  /** What the verdict said while the session was open; undefined when it did not name it. */
  readonly exception: string | undefined;
  readonly level: string;
  /** A program of it ran, and has left a copy of itself. */
  readonly used: boolean;
};

/** Somebody looks into a node with tcpdump, copies it to where it is at hand, and forgets about it. */
export async function openSession(stage: Stage, lab: Lab): Promise<DebugSession> {
  await stage.mustRun("debug", NODE, "--lab", lab.name, "--with", DEBUG_TOOLS, "--for", DURATION);
  const { status, output } = await stage.onNode(lab, NODE, USE);
  stage.say(`    ${output.split("\n").at(-1) ?? ""}`);
  const { fleet } = await stage.proveLab(lab.name);
  const node = fleet.nodes.find(({ name }) => name === NODE);
  const extension = node?.extensions.find(({ name, until }) => name === DEBUG_TOOLS && until !== null);
  const exception =
    extension === undefined
      ? undefined
      : `${DEBUG_TOOLS} ${extension.version ?? "?"}: ${extension.note ?? "without a note"} until ${extension.until ?? "?"}`;
  stage.say(`    the verdict on ${NODE}: ${exception ?? `no word of ${DEBUG_TOOLS}`}`);
  return { exception, level: levelOf(node), used: status === 0 };
}

/** After a reboot that has come for another reason. */
export async function lookForSession(stage: Stage, lab: Lab, session: DebugSession): Promise<Outcome> {
  const { output } = await stage.onNode(lab, NODE, LOOK);
  const { fleet } = await stage.proveLab(lab.name);
  const node = fleet.nodes.find(({ name }) => name === NODE);
  const listed = node?.extensions.some(({ name }) => name === DEBUG_TOOLS) === true;
  const left = [
    ...output.split("\n").filter((line) => line !== ""),
    ...(listed ? [`${DEBUG_TOOLS} in the verdict`] : []),
  ];
  const named = session.exception ?? `a verdict that did not name it`;
  return {
    attempt: `tcpdump is brought to ${NODE} for ${DURATION}, used, copied to /var/tmp and forgotten`,
    result: `meanwhile ${session.level}, with an exception: ${named}; after the next reboot ${
      left.length === 0 ? `gone, the copy cannot be run, ${levelOf(node)}` : `still there: ${left.join("; ")}`
    }`,
    held:
      session.used &&
      session.exception !== undefined &&
      session.level === "proven" &&
      left.length === 0 &&
      levelOf(node) === "proven",
    reach: `reads the node's traffic, for ${DURATION} or until the next reboot, whichever comes first`,
    stoppedBy:
      "the node measures an extension before it merges it, so the verdict names it; it is not merged at a boot",
  };
}

function levelOf(node: NamedVerdict | undefined): string {
  return node === undefined ? "missing" : levelWithNextBoot(node);
}

/** One packet. The user to whom Debian's tcpdump would change is made by its package's scripts, which no image runs. */
const USE = `
set -e
timeout 600 tcpdump -Z root -i lo -c 1 -w /var/tmp/dump.pcap 2>&1 &
while kill -0 $! 2>/dev/null; do ping -c 1 -w 5 127.0.0.1 >/dev/null || true; done
wait $!
cp "$(command -v tcpdump)" /var/tmp/tcpdump
test -s /var/tmp/dump.pcap
echo "a packet and a copy of tcpdump are in /var/tmp"`;

/** Prints what can still be run. */
const LOOK = `
command -v tcpdump strace gdb
test -e /var/tmp/tcpdump || echo "the copy was to be there"
/var/tmp/tcpdump --version >/dev/null 2>&1 && echo "/var/tmp/tcpdump can be run"
true`;
