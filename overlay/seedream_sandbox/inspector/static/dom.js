// Building elements from data. Text only ever becomes text: a prompt cannot become markup.

/** An element with attributes (null ones are left out; `on...` are listeners) and children (nodes or text). */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/**
 * Show a list of items in order, each under its key. An item whose content did not change keeps its element, so an
 * opened entry stays open and a picture is not loaded again.
 */
export function showList(parent, items, keyOf, build) {
  const before = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const after = items.map((item) => {
    const key = String(keyOf(item));
    const content = JSON.stringify([document.documentElement.lang, item]);
    const old = before.get(key);
    if (old && old.dataset.content === content) return old;
    const fresh = build(item, old);
    fresh.dataset.key = key;
    fresh.dataset.content = content;
    return fresh;
  });
  const same = after.length === parent.children.length && after.every((child, n) => child === parent.children[n]);
  if (!same) parent.replaceChildren(...after);
}

/** A time of day. */
export const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
