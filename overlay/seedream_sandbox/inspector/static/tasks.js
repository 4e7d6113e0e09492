// Cards of tasks, with their pictures.
import { clock, make } from "./dom.js";
import { word } from "./words.js";

const MOST = 15;
const ACROSS = [1, 1, 2, 3, 2, 3, 3, 4, 4, 3, 5, 4, 4, 5, 5, 5]; // columns by number of pictures

/** One task as a card. `view(task, index)` opens a picture. */
export function card(task, view) {
  const done = task.state === "completed" && !task.deleted;
  const count = Math.min(task.images, MOST);
  const state = task.deleted ? "deleted" : task.state;
  const pictures = make("div", { class: `pictures across${ACROSS[count]}` });
  for (let index = 0; index < count; index += 1) {
    pictures.append(done ? picture(task, index, view) : make("span", { class: `blank ${state}` }));
  }
  return make(
    "article",
    { class: `card ${state}` },
    pictures,
    make("p", { class: "prompt", title: task.prompt }, task.prompt),
    make(
      "p",
      { class: "facts" },
      make("span", { class: `pill ${state}` }, word(state) + (state === "unknown" ? ` ${task.status}` : "")),
      `${task.width} × ${task.height}`,
      make("span", {}, word("pictures", task.images)),
      task.sources ? make("span", {}, word("sources", task.sources)) : null,
      make("time", {}, clock(task.created)),
    ),
    make("p", { class: "id" }, make("code", {}, task.id)),
    ...task.faults.map((fault) => make("p", { class: "fault-note" }, fault)),
  );
}

function picture(task, index, view) {
  const image = make("img", {
    src: `/_sandbox/thumbs/${task.id}/${index}`,
    alt: `${task.prompt.slice(0, 120)} (${index + 1})`,
    loading: "lazy",
    width: task.width,
    height: task.height,
  });
  return make("button", { type: "button", class: "picture", onclick: () => view(task, index) }, image);
}
