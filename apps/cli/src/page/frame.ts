import { escapeHtml } from "@ashlar/base";
import { STYLE } from "./style.ts";

export type Page = {
  /** The command that has made it. */
  readonly command: string;
  /** What its statements rest on, in a few words. */
  readonly badge: string;
  readonly headline: string;
  readonly lead: string;
  /** HTML below the lead, and of the page. */
  readonly head: string;
  readonly main: string;
};

/** A report as one page: no script, nothing from elsewhere. */
export function renderFrame({ command, badge, headline, lead, head, main }: Page): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(headline)}</title>
<style>${STYLE}</style>
<header>
<p class="eyebrow">${escapeHtml(command)} <span class="badge">${escapeHtml(badge)}</span></p>
<h1>${headlineHtml(headline)}</h1>
<p class="lead">${escapeHtml(lead)}</p>
${head}
</header>
<main>
${main}
</main>
</html>
`;
}

/** Nothing where there is nothing to show. */
export function section(title: string, lead: string, body: string): string {
  return body === ""
    ? ""
    : `<section><h2>${escapeHtml(title)}</h2><p class="muted">${escapeHtml(lead)}</p>${body}</section>`;
}

/** Numbers stand out. */
function headlineHtml(counts: string): string {
  return escapeHtml(counts).replaceAll(/(?<![#&\w])\d+(?![;\w])/gu, (number) => `<b>${number}</b>`);
}
