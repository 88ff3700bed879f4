import { printable } from "@ashlar/base";
import type { Change } from "./standing.ts";

export type WebhookKind = "slack" | "cloudevents";

export const EVENT_TYPE = "ashlar.node.level-changed.v1";

/**
 * What is sent at once. Programs get each change by itself; for people the changes of one moment are one message: a fleet that cannot be
 * reached is one piece of news.
 */
export function sendTogether(kind: WebhookKind, changes: readonly Change[]): readonly (readonly Change[])[] {
  if (changes.length === 0) return [];
  return kind === "slack" ? [changes] : changes.map((change) => [change]);
}

/** As it is sent; when it is sent again, it is the same. */
export type Message = { readonly contentType: string; readonly body: string };

/**
 * @param id the same for the same change, however often it is sent: who gets it twice can tell
 * @param source of the CloudEvent: which fleet
 */
export function messageOf(kind: WebhookKind, changes: readonly Change[], id: string, source: string): Message {
  const [first] = changes;
  if (first === undefined) throw new TypeError("a message tells of a change");
  return kind === "slack" ? slackMessage(changes) : cloudEvent(first, id, source);
}

/** CloudEvents 1.0 in the structured mode of its HTTP binding (3.2). */
function cloudEvent({ node, from, to, difference, atMs }: Change, id: string, source: string): Message {
  const event = {
    specversion: "1.0",
    id,
    source,
    type: EVENT_TYPE,
    subject: node,
    time: new Date(atMs).toISOString(),
    datacontenttype: "application/json",
    data: { node, from: from ?? null, to, difference: difference ?? null },
  };
  return { contentType: "application/cloudevents+json; charset=utf-8", body: JSON.stringify(event) };
}

const MARKS = {
  proven: ":large_green_circle:",
  reported: ":large_yellow_circle:",
  mismatch: ":red_circle:",
  unknown: ":white_circle:",
};
/** A message that nobody reads to its end says nothing. */
const MAX_SHOWN = 300;

/** A Slack incoming webhook's text. What a node says of itself is text there, neither a link nor a mention. */
function slackMessage(changes: readonly Change[]): Message {
  const lines = changes.slice(0, MAX_LINES).map((change) => lineOf(change));
  const more = changes.length - lines.length;
  const text = [...lines, ...(more > 0 ? [`and ${more} more nodes have another level than before`] : [])].join("\n");
  return { contentType: "application/json; charset=utf-8", body: JSON.stringify({ text }) };
}

const MAX_LINES = 10;

function lineOf({ node, from, to, difference }: Change): string {
  const was = from === undefined ? "" : ` (was ${from})`;
  const why =
    difference === undefined
      ? ""
      : `\n${difference.what}: expected ${difference.expected}, found ${difference.found}`.slice(0, MAX_SHOWN);
  return `${MARKS[to]} ${escape(node)} is *${to}*${was}${escape(why)}`;
}

function escape(text: string): string {
  return text
    .split("\n")
    .map((line) => printable(line).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"))
    .join("\n");
}
