// Asks for the state once a second while the page is looked at, and shows what changed.
import { make, showList } from "./dom.js";
import { row } from "./requests.js";
import { card } from "./tasks.js";
import { current, speak, word } from "./words.js";

const INTERVAL = 800; // milliseconds
const THEMES = ["auto", "light", "dark"];
const at = (id) => document.getElementById(id);
let state = null;
let theme = localStorage.getItem("theme") ?? "auto";

speak(localStorage.getItem("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en"));

function words() {
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word);
  for (const element of document.querySelectorAll("[data-hint]")) {
    element.placeholder = word(element.dataset.hint);
    element.setAttribute("aria-label", word(element.dataset.hint));
  }
  at("jump").setAttribute("aria-label", word("jump"));
  at("theme").textContent = word(`theme_${theme}`);
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  document.title = `seedream ${word("title")}`;
}

function tile(name, value, note, tone = "") {
  return make("div", { class: `tile ${tone}` }, make("b", {}, value), make("span", {}, word(name)), make("small", {}, note));
}

function show() {
  at("base").textContent = state.base_url;
  const total = Object.values(state.verdicts).reduce((sum, count) => sum + count, 0);
  at("tiles").replaceChildren(
    tile("credits", state.credits.toLocaleString(), word("credits_of", state.started_with.toLocaleString(), state.accounts.length), state.credits ? "" : "warn"),
    tile("charged", state.charged.toLocaleString(), word("charged_note")),
    tile("verdicts", total.toLocaleString(), word("verdicts_note", state.verdicts)),
    tile("in_force", `${state.faults.length}`, word(state.faults.length ? "in_force_some" : "in_force_none"), state.faults.length ? "warn" : ""),
  );
  at("task-count").textContent = word("showing", state.tasks.length, state.task_count);
  at("request-count").textContent = `${state.requests[0]?.number ?? 0}`;
  at("jump-tasks").textContent = `${state.task_count}`;
  at("jump-requests").textContent = `${state.requests[0]?.number ?? 0}`;
  at("leaks").hidden = !state.leaks.length;
  at("leaks").textContent = `${word("leak")} ${state.leaks.join("; ")}`;
  showList(at("tasks"), state.tasks.length ? state.tasks : [{ id: "none" }], (task) => task.id, (task) => (task.id === "none" ? firstSteps() : card(task, view)));
  showList(at("requests"), state.requests.length ? state.requests : [{ number: 0 }], (one) => one.number, (one, old) =>
    one.number ? row(one, old) : make("p", { class: "empty" }, word("no_requests")));
  showList(at("faults"), state.faults.map((text, index) => ({ text, index })), (fault) => fault.index, (fault) => make("li", {}, fault.text));
  if (!at("kinds").children.length) {
    at("kinds").append(...Object.entries(state.kinds).map(([name, summary]) => make("option", { value: name }, summary)));
  }
}

function firstSteps() {
  const line = [
    `curl ${state.base_url}/v1/images/seedreamv45 \\`,
    `  -H 'Authorization: Bearer ${state.api_key}' \\`,
    "  -F prompt='a lighthouse at dawn' -F resolution=16:9",
  ].join("\n");
  return make("div", { class: "empty" }, make("p", {}, word("no_tasks")), make("pre", {}, line));
}

function view(task, index) {
  const viewer = at("viewer");
  const image = make("img", { src: `/_sandbox/pictures/${task.id}/${index}`, alt: task.prompt });
  viewer.replaceChildren(image, make("p", {}, `${task.width} × ${task.height} · ${index + 1} / ${task.images} · ${task.prompt}`));
  viewer.showModal();
}

async function change(method, path) {
  const reply = await fetch(`/_sandbox/${path}`, { method });
  const wrong = reply.ok ? "" : ((await reply.json()).error ?? reply.statusText);
  at("fault-error").hidden = !wrong;
  at("fault-error").textContent = wrong;
  await refresh();
  return !wrong;
}

async function refresh() {
  try {
    const reply = await fetch("/_sandbox/state");
    state = await reply.json();
    at("live").className = "on";
    at("live").textContent = word("live");
    show();
  } catch {
    at("live").className = "off";
    at("live").textContent = word("lost");
  }
}

at("language").addEventListener("click", () => {
  speak(current() === "en" ? "zh" : "en");
  localStorage.setItem("language", current());
  words();
  refresh();
});
at("theme").addEventListener("click", () => {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  localStorage.setItem("theme", theme);
  words();
});
at("fault-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (await change("POST", `faults?fault=${encodeURIComponent(at("fault").value)}`)) at("fault").value = "";
});
at("clear").addEventListener("click", () => change("DELETE", "faults"));
at("viewer").addEventListener("click", () => at("viewer").close());

words();
await refresh();
setInterval(() => document.hidden || refresh(), INTERVAL);
