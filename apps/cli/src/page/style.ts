/** Light and dark, screen and paper. */
export const STYLE: string = `
:root { --paper: #fbfaf7; --card: #ffffff; --ink: #1b1d22; --muted: #646a76; --line: #e3e0d8; --first: #2f6f6a; --other: #c9762b;
  --badge: #f4e6d3; --badge-ink: #8a4b10;
  --h0: #efede7; --h1: #fbe0bf; --h2: #f6bf85; --h3: #e8954a; --h4: #c9672a; --h5: #8f3d17; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14161a; --card: #1c1f25; --ink: #e9e7e2; --muted: #9aa1ad; --line: #2d3139; --first: #5fb3a9; --other: #e09a55;
    --badge: #3a2a18; --badge-ink: #f0bd85;
    --h0: #23262d; --h1: #4a331f; --h2: #7a4a22; --h3: #b06a2c; --h4: #e0913f; --h5: #ffc684; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
header, main { max-width: 1080px; margin: 0 auto; padding: 0 32px; }
header { padding-top: 56px; }
.eyebrow { margin: 0; color: var(--muted); font-size: 14px; letter-spacing: .04em; text-transform: uppercase; }
.badge { display: inline-block; margin-left: 8px; padding: 2px 10px; border-radius: 99px; background: var(--badge); color: var(--badge-ink); letter-spacing: 0; text-transform: none; }
h1 { margin: 12px 0 8px; font-size: clamp(30px, 5vw, 52px); line-height: 1.12; font-weight: 500; letter-spacing: -.02em; }
h1 b { font-weight: 750; }
h2 { margin: 0 0 4px; font-size: 23px; letter-spacing: -.01em; }
h3 { margin: 0; font-size: 17px; }
h3 small { margin-left: 8px; color: var(--muted); font-weight: 400; }
section { margin: 56px 0; }
p { margin: 6px 0; }
.lead { max-width: 760px; font-size: 19px; color: var(--muted); }
.alike { margin-top: 40px; color: var(--first); }
.muted { color: var(--muted); }
code { font: 14px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.bar { display: flex; gap: 2px; height: 44px; margin: 28px 0 8px; }
.bar i { min-width: 3px; border-radius: 4px; color: #fff; font: 600 14px/44px system-ui, sans-serif; text-align: center; overflow: hidden; }
i.first { background: var(--first); } i.other { background: var(--other); }
i.failed { background: repeating-linear-gradient(45deg, var(--muted) 0 4px, transparent 4px 9px); }
@media (prefers-color-scheme: dark) { .bar i { color: #14161a; } }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; color: var(--muted); font-size: 14px; }
.legend i { display: inline-block; width: 12px; height: 12px; margin-right: 7px; border-radius: 3px; vertical-align: -1px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 14px; margin: 36px 0 0; padding: 0; list-style: none; }
.tile { display: flex; flex-direction: column; padding: 16px 18px; border: 1px solid var(--line); border-radius: 12px; background: var(--card); }
.tile b { font-size: 32px; line-height: 1.15; letter-spacing: -.02em; }
.tile span { flex-grow: 1; font-size: 15px; line-height: 1.35; } .tile small { margin-top: 6px; color: var(--muted); }
svg { display: block; width: 100%; height: auto; margin-top: 18px; font: 14px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
svg text { fill: var(--ink); } svg .axis { fill: var(--muted); font-size: 12px; }
${[0, 1, 2, 3, 4, 5].map((level) => `.heat-${level} { fill: var(--h${level}); background: var(--h${level}); }`).join(" ")}
svg .count-4, svg .count-5 { fill: #fff; }
@media (prefers-color-scheme: dark) { svg .count-3, svg .count-4, svg .count-5 { fill: #14161a; } }
.map { border: 1px solid var(--line); border-radius: 12px; background: var(--card); }
.map circle { fill-opacity: .82; stroke: var(--card); stroke-width: 2; }
.map circle.first { fill: var(--first); } .map circle.other { fill: var(--other); }
.map text { fill: #fff; font-weight: 600; font-size: 13px; }
@media (prefers-color-scheme: dark) { .map text { fill: #14161a; } }
table { width: 100%; margin-top: 12px; border-collapse: collapse; font-size: 15px; }
th { color: var(--muted); font-weight: 500; text-align: left; }
td, th { padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.number:first-child { width: 64px; }
article { margin: 16px 0; padding: 18px 22px; border: 1px solid var(--line); border-radius: 12px; background: var(--card); }
.names { display: flex; flex-wrap: wrap; gap: 4px 6px; }
.names span { padding: 1px 9px; border-radius: 6px; background: var(--h0); font-size: 14px; overflow-wrap: anywhere; }
details { margin-top: 8px; } summary { cursor: pointer; }
.plain { margin: 6px 0 10px; padding-left: 22px; font: 14px/1.6 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.lines { margin: 8px 0 0; font: 14px/1.6 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
.plain li::marker { color: var(--line); }
.proof { padding: 26px 30px; border-left: 5px solid var(--first); border-radius: 4px 12px 12px 4px; background: var(--card); }
@media print {
  :root { --paper: #fff; } body { font-size: 11pt; } header, main { max-width: none; padding: 0; } header { padding-top: 0; }
  section { margin: 24pt 0; } article, .tile, tr, svg { break-inside: avoid; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
