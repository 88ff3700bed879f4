/** For tests of the page: fleets that nobody has, by the thousand. */
import { Board, type BoardNode } from "@ashlar/gateway";
import { EMPTY_VERDICT, type NamedVerdict } from "@ashlar/identity";

const DIGESTS = ["a3973991b715", "ca83305a3690", "5f0e8c2b7d41"].map((digest) => digest.padEnd(64, "0"));
/** Names as nobody should have them, but a NodeProof may: what is in them must stay text. */
export const HOSTILE_NAME = `<img src=x onerror="document.title='owned'">`;
const HOSTILE_TEXT = "</code><script>document.title='owned'</script>\u202e";

export function testBoard(count: number, maxAgeSeconds = 86_400, ageMs = 5000): Board {
  const board = new Board({ kind: "fleet", name: "fleet.yaml", maxAgeSeconds });
  board.put(testNodes(count, Date.now() - ageMs));
  return board;
}

export function testNodes(count: number, provedAtMs: number): BoardNode[] {
  return Array.from({ length: count }, (_, index): BoardNode => {
    const own = index % 97 === 13 ? 1 : index % 41 === 7 ? 2 : 0;
    const name = index === 3 ? HOSTILE_NAME : `worker-${index + 1}`;
    return {
      verdict: verdictOf(name, index, DIGESTS[own] ?? ""),
      provedAtMs: index % 211 === 5 ? undefined : provedAtMs,
    };
  });
}

function verdictOf(name: string, index: number, identity: string): NamedVerdict {
  const nextBoot = { release: "1.1.0", level: "proven", differences: [], fallback: null, notes: [] } as const;
  const proven = {
    ...EMPTY_VERDICT,
    name,
    level: "proven",
    release: "1.1.0",
    identity,
    nextBoot,
    differences: [],
  } as const;
  if (index === 3 || index % 131 === 17) {
    const found = index === 3 ? HOSTILE_TEXT : "sha256 1013f6b81b02";
    const difference = {
      code: "class-config",
      what: "PCR 13, class config",
      expected: "sha256 b2fcf1c34e30",
      found,
    } as const;
    return { ...proven, level: "mismatch", differences: [difference] };
  }
  if (index % 211 === 5) {
    const found = "no answer in 30 s";
    return {
      ...EMPTY_VERDICT,
      name,
      level: "unknown",
      differences: [{ code: "agent-answer", what: "answer", expected: "one", found }],
    };
  }
  if (index % 173 === 29) {
    const found = "a TPM without a certificate";
    return {
      ...proven,
      level: "reported",
      differences: [{ code: "ek-chain", what: "EK certificate", expected: "a trusted maker", found }],
    };
  }
  return proven;
}
