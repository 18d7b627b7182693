// The middle column: channels, and their messages as Slack draws them, changed in place.

import { byId, counted, el, keep, keepFocus } from "./dom.js";
import { onChange, store } from "./store.js";
import { badge } from "./tabs.js";

const SHOWN = 100; // messages of a channel outside of threads
const STORED = "issuewire.read"; // the newest ts that was read, by channel
const read = JSON.parse(localStorage.getItem(STORED) ?? "{}");
let open = null; // the id of the channel in sight
let wasChosen = false;
let atEnd = true;

export function startSlack() {
  const list = byId("messages");
  list.addEventListener("scroll", () => {
    atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
    if (atEnd) byId("newer").hidden = true;
  });
  byId("newer").addEventListener("click", () => {
    list.scrollTop = list.scrollHeight;
    list.focus();
  });
  byId("metadata").addEventListener("click", (event) => {
    const isShown = list.classList.toggle("with-metadata");
    event.currentTarget.setAttribute("aria-pressed", String(isShown));
    for (const each of list.querySelectorAll(".meta")) each.open = isShown;
  });
  document.addEventListener("visibilitychange", draw);
  onChange("messages", draw);
}

function draw() {
  if (!store.channels.get(open)?.messages.size) open = busiest() ?? open;
  const channel = store.channels.get(open);
  if (!channel) return;
  const isSeen = !document.hidden && byId("slack-column").checkVisibility();
  if (isSeen) markRead(channel);
  drawChannels();
  byId("channel-name").textContent = `# ${channel.name}`;
  byId("channel-count").textContent = counted(channel.messages.size, "message");
  byId("welcome").hidden = [...store.channels.values()].some((each) => each.messages.size);
  drawMessages(channel);
}

/** Return the channel that was posted to last, if the reader has not chosen one with messages. */
function busiest() {
  if (wasChosen && store.channels.has(open)) return open;
  const newest = (channel) => Number([...channel.messages.keys()].at(-1) ?? 0);
  return [...store.channels.values()].sort((one, other) => newest(other) - newest(one))[0]?.id;
}

/** Draw again after the column has come into sight. */
export const redrawSlack = draw;

function markRead(channel) {
  const newest = [...channel.messages.keys()].at(-1) ?? "";
  if (newest <= (read[channel.id] ?? "")) return;
  read[channel.id] = newest;
  localStorage.setItem(STORED, JSON.stringify(read));
}

function drawChannels() {
  const items = [...store.channels.values()].map((channel) => {
    const unread = [...channel.messages.keys()].filter((ts) => ts > (read[channel.id] ?? "")).length;
    return { id: channel.id, name: channel.name, unread, isOpen: channel.id === open };
  });
  keep(byId("channels"), items, (item) => item.id, drawChannel);
  badge(byId("slack-column-tab"), items.reduce((sum, item) => sum + item.unread, 0), "unread");
}

function drawChannel(item, old) {
  const line = old ?? el("li", {}, el("button", { type: "button", onclick: () => show(item.id) }));
  const button = line.firstElementChild;
  line.className = item.unread ? "unread" : "";
  button.setAttribute("aria-current", String(item.isOpen));
  button.replaceChildren(el("span", { class: "name" }, `# ${item.name}`));
  if (item.unread) button.append(el("span", { class: "badge" }, `${item.unread}`, el("span", { class: "unseen" }, " unread")));
  return line;
}

function show(id) {
  open = id;
  wasChosen = true;
  atEnd = true;
  byId("messages").replaceChildren();
  draw();
}

function drawMessages(channel) {
  const list = byId("messages");
  const isFirst = !list.childElementCount;
  const tops = [];
  const replies = new Map();
  const sorted = [...channel.messages.values()].sort((one, other) => Number(one.ts) - Number(other.ts));
  for (const message of sorted) {
    const parent = message.thread_ts && message.thread_ts !== message.ts && channel.messages.has(message.thread_ts);
    if (!parent) tops.push(message);
    else if (replies.has(message.thread_ts)) replies.get(message.thread_ts).push(message);
    else replies.set(message.thread_ts, [message]);
  }
  const shown = tops.slice(-SHOWN);
  const items = tops.length > SHOWN ? [{ key: "older", older: tops.length - SHOWN }] : [];
  let day = "";
  for (const message of shown) {
    const its = new Date(message.ts * 1000).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long" });
    if (its !== day) items.push({ key: `day ${its}`, day: its });
    day = its;
    items.push({ key: message.ts, message, replies: replies.get(message.ts) ?? [] });
  }
  const before = list.lastElementChild?.dataset.key;
  keep(list, items, (item) => item.key, (item, old) => drawItem(item, old, isFirst));
  if (atEnd) list.scrollTop = list.scrollHeight;
  else if (list.lastElementChild?.dataset.key !== before) byId("newer").hidden = false;
}

function drawItem(item, old, isFirst) {
  if (item.older) return el("p", { class: "older" }, `${counted(item.older, "older message is", "older messages are")} not shown here.`);
  if (item.day) return el("div", { class: "day" }, el("span", {}, item.day));
  const element = drawMessage(item.message, old, isFirst);
  drawThread(element, item.replies, isFirst);
  return element;
}

function drawMessage(message, old, isFirst) {
  if (old && old.html === message.html) return old;
  const element = fromServer(message.html);
  element.html = message.html;
  for (const each of element.querySelectorAll(".meta")) each.open = byId("messages").classList.contains("with-metadata");
  const thread = old?.querySelector(":scope > .body > .thread");
  if (thread) element.querySelector(".body").append(thread);
  if (old) keepFocus(old, element);
  if (!isFirst) element.classList.add(old ? "changed" : "new");
  return element;
}

function drawThread(element, replies, isFirst) {
  let thread = element.querySelector(":scope > .body > .thread");
  if (!replies.length) return thread?.remove();
  if (!thread) {
    thread = el("div", { class: "thread" }, el("p"), el("div"));
    element.querySelector(".body").append(thread);
  }
  thread.firstElementChild.textContent = counted(replies.length, "reply", "replies");
  keep(thread.lastElementChild, replies, (reply) => reply.ts, (reply, old) => drawMessage(reply, old, isFirst));
}

/**
 * Return the element of a message that the server has drawn.
 *
 * This is the only HTML that the page takes. The server's template escapes every text of a message and links only
 * to http, https and mailto; the page's Content-Security-Policy lets no inline script or handler run even so.
 */
function fromServer(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}
