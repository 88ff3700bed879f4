/** Light and dark, narrow and wide, and one sheet of paper. */
export const STYLE = `
  :root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif;
    --good: #18794e; --bad: #cd2b31; --open: #ad5700; --line: #8884; --faint: #8881; --muted: #60646c; }
  @media (prefers-color-scheme: dark) { :root { --good: #4cc38a; --bad: #ff6369; --open: #ffb224; --muted: #a0a4ac; } }
  body { max-width: 76rem; margin: 2rem auto; padding: 0 1.2rem; }
  header { border-left: .4rem solid var(--good); padding-left: 1rem; }
  header.failed { border-color: var(--bad); }
  h1 { margin: 0; font-size: 2rem; line-height: 1.2; }
  h2 { margin: 2rem 0 .5rem; font-size: 1.15rem; }
  p { margin: .3rem 0; } .muted { color: var(--muted); }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; vertical-align: top; padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line); }
  th { font-weight: 600; } thead th { color: var(--muted); font-size: .85em; }
  tbody th { white-space: nowrap; } td.mark { white-space: nowrap; text-align: right; padding-right: 0; }
  code { font-size: .82em; overflow-wrap: anywhere; }
  ol.chain { display: flex; flex-wrap: wrap; gap: .6rem; list-style: none; margin: 0; padding: 0; counter-reset: link; }
  ol.chain li { flex: 1 1 10rem; border: 1px solid var(--line); border-top: .25rem solid var(--good); border-radius: .3rem;
    padding: .5rem .7rem; background: var(--faint); counter-increment: link; }
  ol.chain b::before { content: counter(link) ". "; } ol.chain code, ol.chain span { display: block; margin-top: .2rem; }
  ol.chain span { color: var(--muted); font-size: .85em; }
  .proven, .held { color: var(--good); font-weight: 600; } .mismatch, .failed { color: var(--bad); font-weight: 600; }
  .unknown, .reported { color: var(--open); font-weight: 600; }
  svg { width: 100%; height: auto; display: block; } svg text { fill: currentColor; font: 11px system-ui, sans-serif; }
  svg .muted { fill: var(--muted); } svg .band { fill: var(--faint); stroke: var(--line); }
  svg .dot.proven, svg .bar.proven { fill: var(--good); stroke: var(--good); }
  svg .dot.mismatch, svg .bar.mismatch { fill: var(--bad); stroke: var(--bad); }
  svg .dot.unknown, svg .dot.reported, svg .bar.unknown, svg .bar.reported { fill: var(--open); stroke: var(--open); }
  svg rect.answered { fill: var(--good); opacity: .55; } svg rect.failed { fill: var(--bad); }
  svg .between { stroke: var(--muted); stroke-width: 2; stroke-dasharray: 2 4; }
  @media print { @page { margin: 10mm; } :root { font-size: 10px; } body { margin: 0; max-width: none; padding: 0; }
    h2 { margin-top: 1rem; } h2, tr, li, svg { break-inside: avoid; } details { display: none; } }
`;
