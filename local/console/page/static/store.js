// What the page knows, kept as the server tells it, and who draws it.

export const KEPT_DELIVERIES = 200;
const KEPT_ISSUES = 200;
const KEPT_MESSAGES = 400; // of each channel

export const store = {
  parts: [],
  switches: [],
  deliveries: new Map(), // by id, the oldest first
  channels: new Map(), // by id: {id, name, messages: Map by ts}
  issues: new Map(), // by repository#number, the one that changed last first
  chosen: null, // the key of an issue
};

const drawers = { parts: new Set(), deliveries: new Set(), messages: new Set(), issues: new Set(), chosen: new Set() };
const due = new Set();

/** Call `draw` after every change of the topic, at most once for each frame of the screen. */
export const onChange = (topic, draw) => drawers[topic].add(draw);

export function changed(...topics) {
  for (const topic of topics) for (const draw of drawers[topic]) due.add(draw);
  if (!due.size || changed.asked) return;
  changed.asked = true;
  requestAnimationFrame(() => {
    changed.asked = false;
    const now = [...due];
    due.clear();
    for (const draw of now) draw();
  });
}

export const issueKey = (issue) => `${issue.repository}#${issue.number}`;
export const chosenIssue = () => store.issues.get(store.chosen) ?? null;

export function choose(key) {
  if (store.chosen === key) return;
  store.chosen = key;
  changed("chosen", "issues", "deliveries");
}

/** Replace everything by the answer of /api/state. */
export function load(state) {
  store.parts = state.parts;
  store.switches = state.switches;
  store.deliveries = new Map([...state.deliveries].reverse().map((delivery) => [delivery.delivery_id, delivery]));
  store.channels = new Map();
  for (const channel of state.channels) {
    store.channels.set(channel.id, { ...channel, messages: new Map(channel.messages.map((each) => [each.ts, each])) });
  }
  store.issues = new Map(state.issues.map((issue) => [issueKey(issue), issue]));
  keepChosen();
  changed(...Object.keys(drawers));
}

export const take = {
  parts(news) {
    store.parts = news.parts;
    store.switches = news.switches;
    changed("parts");
  },
  delivery(delivery) {
    const before = store.deliveries.get(delivery.delivery_id);
    if (before && before.times !== delivery.times) store.deliveries.delete(delivery.delivery_id); // it came again
    store.deliveries.set(delivery.delivery_id, delivery);
    forget(store.deliveries, KEPT_DELIVERIES);
    changed("deliveries");
  },
  message(message) {
    const channel = store.channels.get(message.channel) ?? { id: message.channel, name: message.channel, messages: new Map() };
    store.channels.set(channel.id, channel);
    if (message.gone) channel.messages.delete(message.ts);
    else channel.messages.set(message.ts, message);
    forget(channel.messages, KEPT_MESSAGES);
    changed("messages");
  },
  issue(issue) {
    const key = issueKey(issue);
    if (JSON.stringify(store.issues.get(key)) === JSON.stringify(issue)) return; // the stream may repeat what is known
    store.issues.delete(key);
    if (!issue.gone) store.issues = new Map([[key, issue], ...store.issues]);
    if (store.issues.size > KEPT_ISSUES) store.issues.delete([...store.issues.keys()].at(-1));
    keepChosen();
    changed("issues", "chosen");
  },
};

/** Choose the issue that changed last if the chosen one is gone. */
function keepChosen() {
  if (!store.issues.has(store.chosen)) store.chosen = store.issues.keys().next().value ?? null;
}

function forget(map, limit) {
  for (const key of map.keys()) {
    if (map.size <= limit) return;
    map.delete(key);
  }
}
