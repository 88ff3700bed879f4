import {
  formatAge,
  plural,
  rolloutTone,
  type RolloutNodeView,
  type RolloutsView,
  type RolloutTone,
  type RolloutView,
  type RolloutWaveView,
} from "@ashlar/views";
import type { ReactElement } from "react";
import { useDocument, useServerNow, type Fetched } from "../data/use-document.ts";
import { StateBadge } from "../parts/tone.tsx";
import { hrefOf } from "../route.ts";

const PATH = "/v1/rollouts";
/** Of a wave: who needs somebody, and who is on the way, come first. */
const MAX_ROWS = 200;
const ORDER: readonly RolloutTone[] = ["bad", "busy", "idle", "good"];

/** All Rollouts, the newest first. */
export function RolloutsPage(): ReactElement {
  const fetched = useDocument<RolloutsView>(PATH);
  const { document: view } = fetched;
  return (
    <main className="rollouts">
      <h1>Rollouts</h1>
      <Trouble fetched={fetched} />
      {view?.rollouts.length === 0 && view.problem === null && <p className="quiet">There are none.</p>}
      <ul className="rollout-list">
        {view?.rollouts.map((rollout) => (
          <li key={rollout.name} className="card">
            <h2 className="name">
              <a href={hrefOf({ page: "rollout", name: rollout.name })}>{rollout.name}</a>
            </h2>
            <Summary rollout={rollout} />
          </li>
        ))}
      </ul>
    </main>
  );
}

/** One Rollout, wave by wave: each node's step, and what it waits for. */
export function RolloutPage({ name }: { readonly name: string }): ReactElement {
  const fetched = useDocument<RolloutsView>(PATH);
  const now = useServerNow(fetched.received, 1000);
  const rollout = fetched.document?.rollouts.find((each) => each.name === name);
  return (
    <main className="rollouts">
      <h1 className="name">{name}</h1>
      <Trouble fetched={fetched} />
      {rollout === undefined || now === undefined ? (
        fetched.document !== undefined && <p role="status">There is no Rollout of this name.</p>
      ) : (
        <>
          <Summary rollout={rollout} />
          {rollout.waves.map((wave) => (
            <Wave key={wave.name} rollout={rollout} wave={wave} now={now} />
          ))}
        </>
      )}
    </main>
  );
}

function Trouble({ fetched }: { readonly fetched: Fetched<RolloutsView> }): ReactElement | null {
  const { document: view, problem } = fetched;
  const why = view?.problem ?? (view === undefined ? problem : undefined);
  if (why !== undefined && why !== null)
    return (
      <p className="old" role="status">
        What is shown gets old: {why}
      </p>
    );
  return view === undefined ? <p role="status">Waiting for an answer…</p> : null;
}

function Summary({ rollout }: { readonly rollout: RolloutView }): ReactElement {
  const { class: className, release, phase, wave, done, total, attempt } = rollout;
  const why = whyItWaits(rollout);
  return (
    <>
      <p className="rollout-head">
        <StateBadge word={phase} />
        <span>
          {className ?? "-"} to <strong>{release ?? "-"}</strong>
          {wave !== null && `, wave ${wave}`}
          {attempt !== null && attempt > 1 && `, attempt ${attempt}`}
        </span>
        <progress value={done} max={Math.max(1, total)} aria-label={`${done} of ${plural(total, "node")} done`} />
        <span>
          {done} of {plural(total, "node")} done
        </span>
      </p>
      {why !== undefined && <p className={rolloutTone(phase) === "bad" ? "first-difference" : "waits"}>{why}</p>}
    </>
  );
}

function whyItWaits({ isCurrent, halt, message, isDeleting, isPaused, phase }: RolloutView): string | undefined {
  if (!isCurrent) return "The operator has not looked at it since it was changed.";
  if (halt !== null) return halt.message;
  if (message !== null) return message;
  if (isDeleting) return "It is deleted.";
  return isPaused && phase !== "Done" ? "It is paused." : undefined;
}

type WaveProps = { readonly rollout: RolloutView; readonly wave: RolloutWaveView; readonly now: number };

function Wave({ rollout, wave, now }: WaveProps): ReactElement {
  const { name, done, total, isApproved, nodes } = wave;
  const rank = ({ state }: RolloutNodeView): number => ORDER.indexOf(rolloutTone(state));
  const first = nodes.toSorted((a, b) => rank(a) - rank(b)).slice(0, MAX_ROWS);
  const isCurrent = rollout.wave === name;
  return (
    <section className={isCurrent ? "wave is-current" : "wave"} aria-label={`Wave ${name}`}>
      <h2>
        {name}{" "}
        <span className="quiet">
          {done} of {plural(total, "node")} done{isCurrent && ", goes on"}
          {!isApproved && ", not approved"}
        </span>
      </h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col">Step</th>
            <th scope="col">For</th>
            <th scope="col">Waits for</th>
          </tr>
        </thead>
        <tbody>
          {first.map((node) => (
            <tr key={node.name}>
              <th scope="row" className="name">
                <a href={hrefOf({ page: "node", name: node.name })}>{node.name}</a>
              </th>
              <td>
                <StateBadge word={node.state} />
              </td>
              <td className="number">{ageOf(node, now)}</td>
              <td className="name">
                {node.message}
                {node.drains > 0 && <span className="quiet"> {plural(node.drains, "drain")} did not end</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {nodes.length > first.length && (
        <p className="quiet">
          And {nodes.length - first.length} more: <code>kubectl ashlar rollout status {rollout.name}</code>
        </p>
      )}
    </section>
  );
}

function ageOf({ since }: RolloutNodeView, now: number): string {
  const at = Date.parse(since);
  return Number.isNaN(at) ? "-" : formatAge(now - at);
}
