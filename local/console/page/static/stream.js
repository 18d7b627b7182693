// Keeps the page up to date: the whole state first, then what changes; after a break the whole state again.

import { get } from "./api.js";
import { byId } from "./dom.js";
import { said } from "./result.js";
import { load, take } from "./store.js";

const RETRY_MILLISECONDS = 1000;
const WORDS = { live: "Live", lost: "Reconnecting", stopped: "Stopped" };

export async function follow() {
  let state;
  try {
    state = await get("/api/state");
  } catch {
    show("stopped");
    setTimeout(follow, RETRY_MILLISECONDS);
    return;
  }
  load(state);
  const source = new EventSource(`/api/stream?since=${state.last}`);
  source.onopen = () => show("live");
  const again = () => {
    source.close(); // its own retry would begin at the old number
    show("lost");
    setTimeout(follow, RETRY_MILLISECONDS / 4);
  };
  source.onerror = again;
  source.addEventListener("reset", again); // the server no longer knows what follows the number
  source.addEventListener("happening", (event) => {
    const happening = JSON.parse(event.data);
    if (happening.kind === "week") said(happening.text);
  });
  for (const [kind, act] of Object.entries(take)) {
    source.addEventListener(kind, (event) => act(JSON.parse(event.data)));
  }
}

function show(state) {
  const connection = byId("connection");
  if (connection.dataset.state === state) return;
  connection.dataset.state = state;
  connection.textContent = WORDS[state];
  byId("stopped").hidden = state !== "stopped";
}
