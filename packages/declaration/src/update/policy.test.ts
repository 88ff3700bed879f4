import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type MaintenanceWindow, isInWindow, nextBeginning } from "./maintenance-window.ts";
import { parsePolicy } from "./policy.ts";

const KEY = `sha256:${"ab".repeat(32)}`;

await test("a whole policy, and an empty one", () => {
  const text = `repository: https://releases.example/ashlar/
redirectsTo: [https://objects.example, "http://10.0.0.1:8080"]
channel: beta
pin: "1.1.*"
operators: ["${KEY}"]
reboot: window
window: { days: [mon, tue], start: "02:00", durationMinutes: 120, timeZone: Europe/Prague }
maxBytesPerSecond: 1000000
`;
  assert.deepEqual(parsePolicy(text), {
    policy: {
      repository: "https://releases.example/ashlar/",
      redirectsTo: ["https://objects.example", "http://10.0.0.1:8080"],
      channel: "beta",
      pin: "1.1.*",
      operators: [KEY],
      reboot: "window",
      window: { days: ["mon", "tue"], start: "02:00", durationMinutes: 120, timeZone: "Europe/Prague" },
      maxBytesPerSecond: 1_000_000,
    },
    report: [],
  });
  const empty = { channel: "stable", operators: [], reboot: "never" };
  assert.deepEqual(parsePolicy("# nothing\n").policy, empty);
});

await test("a redirect is allowed to an origin, not to a path; a password is in no complaint", () => {
  for (const origin of [
    "https://objects.example/",
    "https://a:b@objects.example",
    "file://x",
    "objects.example",
    "*",
  ]) {
    const { policy, report } = parsePolicy(`redirectsTo: ["${origin}"]`);
    assert.equal(policy, undefined, origin);
    assert.equal(report[0]?.path, "$.redirectsTo.0");
  }
  for (const url of ["ftp://deploy:s3cret@x/", "https://deploy:s3/cret@x/", "deploy:s3cret@x"])
    assert.doesNotMatch(JSON.stringify(parsePolicy(`repository: ${url}`)), /s3|cret|deploy/u);
});

await test("every problem at once, each with its place", () => {
  const { policy, report } = parsePolicy(`repository: ftp://x
chanel: stable
operators:
  - sha256:AB
  - ${KEY}
reboot: soon
window:
  start: 2:00
  days: [monday]
  timeZone: Europe/Nowhere
maxBytesPerSecond: 1.5
pin:
`);
  assert.equal(policy, undefined);
  const places = report.map(({ path, position }) => `${path} ${position?.line}:${position?.column}`);
  assert.deepEqual(places, [
    "$.repository 1:13",
    "$.chanel 2:1",
    "$.operators.0 4:5",
    "$.reboot 6:9",
    "$.window.start 8:10",
    "$.window.days.0 9:10",
    "$.window.timeZone 10:13",
    "$.window.start 8:3",
    "$.window.durationMinutes 8:3",
    "$.maxBytesPerSecond 11:20",
    "$.pin 12:5",
  ]);
});

for (const [title, text] of [
  ["not YAML", "a: [1"],
  ["a list", "- a"],
  ["a text", "stable"],
  ["two documents", "channel: a\n---\nchannel: b\n"],
  ["a key twice", "channel: a\nchannel: b\n"],
  ["an alias", "channel: &a stable\npin: *a\n"],
  ["a window that is missing", "reboot: window"],
  ["too deep", "[".repeat(16_000)],
  ["too large", `# ${"x".repeat(70_000)}`],
  ["too many operators", `operators: [${Array.from({ length: 65 }, () => KEY).join(", ")}]`],
] as const) {
  await test(`refused: ${title}`, () => {
    const { policy, report } = parsePolicy(text);
    assert.equal(policy, undefined);
    assert.ok(report.length > 0 && report.length <= 8);
  });
}

await test("no text breaks the parser", () => {
  const word = fc.constantFrom(
    "channel",
    "window",
    ":",
    " ",
    "\n",
    "-",
    "[",
    "]",
    "{",
    "}",
    "&a",
    "*a",
    "!!map",
    '"',
    "1",
  );
  const texts = fc.oneof(
    fc.string(),
    fc.array(word).map((words) => words.join("")),
  );
  fc.assert(fc.property(texts, (text) => parsePolicy(text).report.length >= 0));
});

await test("windows: days, midnight, and clocks that change", () => {
  const window: MaintenanceWindow = { days: ["sat"], start: "23:00", durationMinutes: 120, timeZone: "Europe/Prague" };
  const at = (text: string): number => Temporal.ZonedDateTime.from(`${text}[Europe/Prague]`).epochMilliseconds;
  const cases: readonly [string, boolean][] = [
    ["2026-11-21T22:59:59", false],
    ["2026-11-21T23:00", true],
    ["2026-11-22T00:59:59", true],
    ["2026-11-22T01:00", false],
    ["2026-11-22T23:30", false],
  ];
  for (const [text, expected] of cases) assert.equal(isInWindow(window, at(text)), expected, text);

  // Where the timer would come too late.
  const within = (text: string, minutes: number): number | undefined =>
    nextBeginning(window, at(text), minutes * 60_000);
  assert.equal(within("2026-11-21T22:30", 60), at("2026-11-21T23:00"));
  assert.equal(within("2026-11-21T22:30", 29), undefined);
  assert.equal(within("2026-11-21T23:00", 120), undefined);
  assert.equal(within("2026-11-20T23:30", 24 * 60), at("2026-11-21T23:00"));

  // 29 March 2026: the clock goes from 02:00 to 03:00. 25 October: from 03:00 to 02:00.
  const night = { ...window, days: ["sun"], start: "02:30", durationMinutes: 60 } as const;
  assert.equal(isInWindow(night, at("2026-03-29T03:29")), false);
  assert.equal(isInWindow(night, at("2026-03-29T03:30")), true);
  assert.equal(isInWindow(night, at("2026-03-29T04:30")), false);
  assert.equal(isInWindow(night, Date.parse("2026-10-25T00:30Z")), true);
  assert.equal(isInWindow(night, Date.parse("2026-10-25T01:29Z")), true);
  assert.equal(isInWindow(night, Date.parse("2026-10-25T01:30Z")), false);
  assert.equal(isInWindow({ ...night, timeZone: "UTC" }, Date.parse("2026-10-25T02:30Z")), true);
});
