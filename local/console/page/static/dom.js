// Builds elements. Text only ever becomes a text node, so nothing that it holds is markup.

/** Return an element; `attributes` are attributes, but for on... (listeners), and false or null (left out). */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const byId = (id) => document.getElementById(id);

/**
 * Make the children of `parent` those of `items`, in order, and draw only what has changed.
 * draw(item, old) returns the element of an item; it may change and return `old`, which is null at first.
 */
export function keep(parent, items, keyOf, draw) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    const before = old.get(key) ?? null;
    old.delete(key);
    let element = before;
    if (!before || !isSame(before.item, item)) {
      element = draw(item, before);
      element.dataset.key = key;
      element.item = item;
    }
    if (before && element !== before) {
      if (place === before) place = element;
      before.replaceWith(element);
    }
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  for (const gone of old.values()) gone.remove();
}

/** Return whether two items have the same values; those of the store are replaced when they change. */
function isSame(one, other) {
  if (Object.is(one, other)) return true;
  if (!(one instanceof Object && other instanceof Object)) return false;
  const names = Object.keys(other);
  return Object.keys(one).length === names.length && names.every((name) => {
    const [left, right] = [one[name], other[name]];
    return Object.is(left, right) || (Array.isArray(left) && Array.isArray(right)
      && left.length === right.length && left.every((each, at) => Object.is(each, right[at])));
  });
}

/** If the focus is inside of `old`, which `element` replaces, it stays at the same place. */
export function keepFocus(old, element) {
  if (!old.contains(document.activeElement)) return;
  const places = "a, button, summary, [tabindex]";
  const at = [...old.querySelectorAll(places)].indexOf(document.activeElement);
  if (at >= 0) queueMicrotask(() => element.querySelectorAll(places)[at]?.focus());
}

/** Return the time of day of an ISO time, or of seconds since 1970, where the reader is. */
export function clock(time) {
  const date = typeof time === "number" ? new Date(time * 1000) : new Date(time);
  return Number.isNaN(date.getTime()) ? "" : date.toLocaleTimeString("en-GB");
}

export const counted = (count, one, many = `${one}s`) => `${count.toLocaleString("en")}\u00a0${count === 1 ? one : many}`;

/** Return a duration as people say it: 12 ms, 1.2 s, 3 min; it is not broken between two lines. */
export function duration(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)}\u00a0ms`;
  if (seconds < 90) return `${seconds.toFixed(seconds < 10 ? 1 : 0)}\u00a0s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)}\u00a0min` : `${Math.round(seconds / 3600)}\u00a0h`;
}
