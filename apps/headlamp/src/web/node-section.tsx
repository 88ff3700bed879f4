import { CommonComponents } from "@kinvolk/headlamp-plugin/lib";
import { chainOf, LINK_WORDS, linkValues, type ShownProof } from "@ashlar/views";
import type { ReactElement } from "react";
import { Age } from "./parts/age.tsx";
import { Differences } from "./parts/differences.tsx";
import { Level } from "./parts/level.tsx";
import { Problems, Root } from "./parts/root.tsx";
import { useProofs } from "./use-proofs.ts";
import { WORDS } from "./words.ts";

const { SectionBox } = CommonComponents;

/** On the page of a Node: the chain that its verdict rests on. */
export function NodeSection({ name }: { readonly name: string }): ReactElement {
  const found = useProofs();
  const proof = found.proofs?.find(({ node }) => node.name === name);
  const isWaiting = found.proofs === undefined && found.problem === undefined;
  return (
    <SectionBox title={WORDS.section}>
      <Root>
        <Problems {...found} />
        {proof !== undefined && <Proof {...proof} />}
        {proof === undefined && found.problem === undefined && (
          <p role="status">{isWaiting ? WORDS.waiting : WORDS.noneOfNode}</p>
        )}
      </Root>
    </SectionBox>
  );
}

function Proof({ node, level, verdict, ageMs, maxAgeMs }: ShownProof): ReactElement {
  const { nextBoot } = verdict;
  return (
    <>
      <p className="ashlar-facts">
        <Level level={level} /> <Age ageMs={ageMs} maxAgeMs={maxAgeMs} />
      </p>
      <dl>
        <dt>{WORDS.release}</dt>
        <dd>{verdict.release ?? "-"}</dd>
        <dt>{WORDS.identity}</dt>
        <dd>
          <code>{verdict.identity ?? "-"}</code>
        </dd>
        <dt>{WORDS.class}</dt>
        <dd>{node.class ?? "-"}</dd>
      </dl>
      <h3>{WORDS.chain}</h3>
      <ol className="ashlar-chain">
        {chainOf(verdict, level).map(({ name, state, differences }) => (
          <li key={name} className={`ashlar-link ashlar-link-${state}`}>
            <h4>{LINK_WORDS[name].title}</h4> <Level level={state} />
            <p className="ashlar-quiet">{LINK_WORDS[name].says}</p>
            {linkValues(name, verdict, null).map(({ what, value }) => (
              <p key={what}>
                {what}: <code>{value}</code>
              </p>
            ))}
            <Differences list={differences} />
          </li>
        ))}
      </ol>
      <h3>{WORDS.nextBoot}</h3>
      {nextBoot === null ? (
        <p>{WORDS.nobody}</p>
      ) : (
        <>
          <p>
            <Level level={nextBoot.level} /> {nextBoot.release ?? WORDS.noRelease}
          </p>
          <Differences list={nextBoot.differences} />
        </>
      )}
    </>
  );
}
