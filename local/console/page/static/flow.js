// The parts at the top: what each has done, what waits for it, how long it takes, and whether it works.

import { post } from "./api.js";
import { byId, counted, duration, el, keep } from "./dom.js";
import { said, tell } from "./result.js";
import { onChange, store } from "./store.js";

const SIGNS = { up: "●", broken: "▲", down: "■", paused: "‖", off: "○" };
const UNITS = {
  github: ["sent", "sent"], ingest: ["received", "received"], pubsub: ["published", "published"],
  slack: ["message", "messages"], bigquery: ["row", "rows"], triage: ["handled", "handled"],
  notify_slack: ["handled", "handled"], stream_bq: ["handled", "handled"], reconcile: ["run", "runs"],
};
const FIRST = new Set(["github", "reconcile"]); // no arrow leads to these
const states = new Map();

export function startFlow() {
  onChange("parts", draw);
}

/** Return the switch that breaks the part now, or undefined. */
export const brokenBy = (part) => store.switches.find((each) => each.part === part && each.on);

export async function breakPart(part, how) {
  await tell(async () => {
    const answer = await post("/api/break", { part, how });
    return answer.text ?? (how === "well" ? `${part} is repaired.` : `${part}: ${how}.`);
  });
}

function draw() {
  const shown = store.parts.filter((part) => part.state !== "off");
  keep(byId("flow"), shown.map((part) => ({ ...part, by: brokenBy(part.name)?.text })), (part) => part.name, drawPart);
  announce(shown);
}

function drawPart(part, old) {
  const [one, many] = UNITS[part.name] ?? ["", ""];
  const about = [
    part.backlog ? counted(part.backlog, "waits", "wait") : "",
    part.name === "reconcile" ? "asks GitHub for what failed" : "",
    typeof part.delay_ms === "number" ? duration(part.delay_ms / 1000) : "",
  ].filter(Boolean);
  const waiting = Object.entries(part.backlogs ?? {}).map(([name, count]) => el("span", { class: "whole" }, `${name} ${count}`));
  const note = part.held ? `${counted(part.held, "dead letter")} held` : part.backlogs ? "" : part.note;
  const element = el("article", {
    class: "part", "data-part": part.name, "data-state": part.state, "data-fed": !FIRST.has(part.name),
  },
  el("h3", {}, el("span", {}, part.label), el("span", { class: "state" }, `${SIGNS[part.state] ?? "?"} ${part.state}`)),
  el("p", {}, el("b", {}, (part.count ?? 0).toLocaleString("en")), ` ${part.count === 1 ? one : many}${about.map((each) => `\u00a0· ${each}`).join("")}`),
  waiting.length ? el("p", {}, "Waiting: ", waiting.flatMap((each, at) => (at ? [", ", each] : [each]))) : null,
  note ? el("p", { class: part.held || part.state !== "up" ? "problem" : "" }, note) : null,
  part.by ? el("button", { type: "button", onclick: () => breakPart(part.name, "well") }, `Repair ${part.label}`) : null);
  element.count = part.count;
  if (old && old.count !== part.count) element.classList.add("pulse");
  return element;
}

/** Say aloud only that a part has begun or ceased to work: counts change too often. */
function announce(parts) {
  const news = parts.filter((part) => states.has(part.name) && states.get(part.name) !== part.state);
  for (const part of parts) states.set(part.name, part.state);
  if (news.length) said(news.map((part) => `${part.label} is ${part.state}.`).join(" "));
}
