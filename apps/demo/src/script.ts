import { clock } from "@ashlar/host/terminal";
import type { FleetVerdict } from "@ashlar/identity";
import type { ActName } from "./act-names.ts";
import type { RequestCount } from "./cluster/service-client.ts";
import type { ReportedAct, ReportedRequests, ReportedStep, ReportedVerdict } from "./demo-report.ts";
import type { Outcome, Stage } from "./stage.ts";

type Played = {
  readonly acts: readonly ReportedAct[];
  readonly steps: readonly ReportedStep[];
  readonly verdicts: readonly ReportedVerdict[];
  readonly requests: readonly ReportedRequests[];
};

/** What was played, with when and for how long; what an earlier demo on the same lab has played comes first. */
export class Script {
  readonly #say: Stage["say"];
  readonly #startMs: number = performance.now();
  #act: ActName = "provision";
  #acts: ReportedAct[] = [];
  #steps: ReportedStep[] = [];
  #verdicts: ReportedVerdict[] = [];
  #requests: ReportedRequests[] = [];

  constructor(say: Stage["say"], earlier: Played = { acts: [], steps: [], verdicts: [], requests: [] }) {
    this.#say = say;
    this.#acts = [...earlier.acts];
    this.#steps = [...earlier.steps];
    this.#verdicts = [...earlier.verdicts];
    this.#requests = [...earlier.requests];
  }

  /** What follows belongs to this act. */
  enter(act: ActName): void {
    this.#act = act;
  }

  /** Does one step of what acts need before they can begin. */
  async build(title: string, work: () => Promise<void>): Promise<void> {
    await this.#step("build", title, work);
  }

  /** Forgets what an earlier demo has seen of an act that is played again. */
  forget(act: ActName): void {
    this.#acts = this.#acts.filter((each) => each.act !== act);
    this.#steps = this.#steps.filter((each) => each.act !== act);
    this.#verdicts = this.#verdicts.filter((each) => each.act !== act);
    this.#requests = this.#requests.filter((each) => each.act !== act);
  }

  get played(): Played {
    return { acts: this.#acts, steps: this.#steps, verdicts: this.#verdicts, requests: this.#requests };
  }

  /** Does one step of an act. */
  async step<T>(title: string, work: () => Promise<T>): Promise<T> {
    return await this.#step(this.#act, title, work);
  }

  async #step<T>(
    act: ReportedStep["act"],
    title: string,
    work: () => Promise<T>,
    flags: Pick<ReportedStep, "beside"> = {},
  ): Promise<T> {
    const startedAt = new Date().toISOString();
    const startMs = performance.now();
    this.#say(`\n== ${title}  [${clock(startMs - this.#startMs)}]`);
    const result = await work();
    const ms = performance.now() - startMs;
    this.#steps.push({ act, title, startedAt, seconds: Math.round(ms / 1000), ...flags });
    this.#say(`  done in ${clock(ms)}`);
    return result;
  }

  /** A step that has an outcome, or several. */
  async attempt(title: string, work: () => Promise<Outcome | Outcome[]>): Promise<void> {
    this.#add(title, await this.step(title, work));
  }

  /** One that goes on while others are played; whoever begins it has to wait for its end. */
  attemptBeside(title: string, work: () => Promise<Outcome>): Promise<void> {
    const act = this.#act;
    const attempt = async (): Promise<void> => this.#add(title, await this.#step(act, title, work, { beside: true }));
    const attempted = attempt();
    // It may fail before somebody waits.
    attempted.catch(() => undefined);
    return attempted;
  }

  #add(title: string, outcomes: Outcome | Outcome[]): void {
    for (const outcome of [outcomes].flat()) {
      this.#say(`  ${outcome.held ? "held" : "FAILED"}: ${outcome.result}`);
      this.#acts.push({ act: this.#act, title, ...outcome });
    }
  }

  addVerdict({ nodes }: FleetVerdict): void {
    const known = nodes.map(({ name, level, release, identity, extensions }) => ({
      name,
      level,
      release,
      identity,
      extensions,
    }));
    this.#verdicts.push({ at: new Date().toISOString(), act: this.#act, nodes: known });
  }

  addRequests(counts: readonly RequestCount[]): void {
    this.#requests.push(...counts.map((count) => ({ ...count, act: this.#act })));
  }
}
