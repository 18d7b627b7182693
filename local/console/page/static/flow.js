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
  const element = old ?? newPart(part);
  const [state, done, waiting, note, repair] = element.places;
  const [one, many] = UNITS[part.name] ?? ["", ""];
  const about = [
    part.backlog ? counted(part.backlog, "waits", "wait") : "",
    part.name === "reconcile" ? "asks GitHub for what failed" : "",
    typeof part.delay_ms === "number" ? duration(part.delay_ms / 1000) : "",
  ].filter(Boolean);
  element.dataset.state = part.state;
  state.textContent = `${SIGNS[part.state] ?? "?"} ${part.state}`;
  done.replaceChildren(
    el("b", {}, part.count.toLocaleString("en")),
    ` ${part.count === 1 ? one : many}${about.map((each) => `\u00a0· ${each}`).join("")}`);
  const queues = Object.entries(part.backlogs ?? {}).map(([name, count]) => el("span", { class: "whole" }, `${name} ${count}`));
  fill(waiting, queues.length ? ["Waiting: ", ...queues.flatMap((each, at) => (at ? [", ", each] : [each]))] : []);
  fill(note, [part.held ? `${counted(part.held, "dead letter")} held` : part.backlogs ? "" : part.note].filter(Boolean));
  note.classList.toggle("problem", Boolean(part.held) || part.state !== "up");
  repair.hidden = !part.by;
  if (old && old.count !== part.count) {
    element.classList.remove("pulse");
    requestAnimationFrame(() => element.classList.add("pulse"));
  }
  element.count = part.count;
  return element;
}

/** Return the box of a part without its figures; it stays the same element, so that the focus stays too. */
function newPart(part) {
  const places = [el("span", { class: "state" }), el("p"), el("p"), el("p"), el("button", { type: "button", "aria-label": `Repair ${part.label}`, onclick: () => breakPart(part.name, "well") }, "Repair")];
  const [state, ...others] = places;
  const element = el("article", { class: "part", "data-part": part.name, "data-fed": !FIRST.has(part.name) },
    el("h3", {}, el("span", {}, part.label), state), others);
  element.places = places;
  return element;
}

function fill(place, content) {
  place.replaceChildren(...content);
  place.hidden = !content.length;
}

/** Say aloud only that a part has begun or ceased to work: counts change too often. */
function announce(parts) {
  const news = parts.filter((part) => states.has(part.name) && states.get(part.name) !== part.state);
  for (const part of parts) states.set(part.name, part.state);
  if (news.length) said(news.map((part) => `${part.label} is ${part.state}.`).join(" "));
}
