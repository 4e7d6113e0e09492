"use strict";
const WORDS = {
  en: {
    title: "Gallery", search: "Search prompts and ids", theme: "Light or dark", none: "Nothing matches.", copy: "Copy prompt",
    copied: "Copied", open: "Open the file", all: "All", summary: (j, p) => `${p} picture${p === 1 ? "" : "s"} · ${j} job${j === 1 ? "" : "s"}`,
    id: "Job", taskid: "Task", resolution: "Resolution", size: "File", spent: "Counted as paid", line: "Line", error: "Reason",
    downloaded: "Saved", planned: "To be sent", submitting: "Being sent", submitted: "Running", succeeded: "Made, not saved",
    failed: "Failed", rejected: "Refused", unknown: "Unknown", abandoned: "Given up",
  },
  zh: {
    title: "图库", search: "搜索提示词和编号", theme: "明暗", none: "没有符合的结果。", copy: "复制提示词",
    copied: "已复制", open: "打开原图", all: "全部", summary: (j, p) => `${p} 张图片 · ${j} 个任务`,
    id: "编号", taskid: "任务", resolution: "分辨率", size: "文件", spent: "计入花费", line: "行", error: "原因",
    downloaded: "已保存", planned: "待提交", submitting: "提交中", submitted: "生成中", succeeded: "已生成，未保存",
    failed: "失败", rejected: "被拒绝", unknown: "结果未知", abandoned: "已放弃",
  },
};
const ORDER = ["downloaded", "succeeded", "submitted", "submitting", "planned", "failed", "rejected", "unknown", "abandoned"];
const PAGE = 60;
const jobs = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const kept = (() => { try { return window.localStorage; } catch { return null; } })();
const remembered = (name) => { try { return kept && kept.getItem("seedream-" + name); } catch { return null; } };
const remember = (name, value) => { try { if (kept) kept.setItem("seedream-" + name, value); } catch { /* private mode */ } };
let language = remembered("language") || (navigator.language || "en").slice(0, 2);
if (!WORDS[language]) language = "en";
let state = "all", found = [], shown = 0, current = [0, 0], columns = [];
const t = (name) => WORDS[language][name] || name;

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name in element && name !== "list") element[name] = value; else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function shot(job, index, position) {
  const picture = job.pictures[index];
  const image = make("img", { src: picture.thumbnail || picture.path, loading: "lazy", decoding: "async", alt: job.prompt });
  const button = make("button", { type: "button", className: "shot", onclick: () => view(position, index) }, image);
  if (index === 0 && picture.width) button.style.aspectRatio = `${picture.width} / ${picture.height}`;
  return button;
}

function card(job, position) {
  const article = make("article", { "data-state": job.state });
  if (job.pictures.length) article.append(shot(job, 0, position));
  if (job.pictures.length > 1) {
    article.append(make("div", { className: "strip" }, ...job.pictures.slice(1).map((_, i) => shot(job, i + 1, position))));
  }
  const meta = make("div", { className: "meta" }, make("span", { className: "badge" }, t(job.state)), make("span", { title: job.id }, job.id));
  article.append(make("div", { className: "text", tabIndex: 0, onclick: whole, onkeydown: (event) => { if (event.key === "Enter") whole(event); } }, make("p", { title: job.prompt }, job.prompt), job.error && make("p", { className: "reason" }, job.error), meta));
  return article;
}

// Each card goes to the shortest column: no gaps, and the order stays nearly that of the file.
function lay(count) {
  columns = Array.from({ length: count }, () => ({ element: make("div", { className: "column" }), height: 0 }));
  $("grid").replaceChildren(...columns.map((column) => column.element));
}

function whole(event) {
  if (!String(getSelection())) event.currentTarget.classList.toggle("whole");
}

function heightOf(job) {
  const first = job.pictures[0];
  const picture = first ? (first.width ? first.height / first.width : 0.75) : 0.25;
  return picture + 0.35 + (job.pictures.length > 1 ? 0.2 : 0) + (job.error ? 0.25 : 0);
}

function more() {
  const page = found.slice(shown, shown + PAGE);
  for (const [i, job] of page.entries()) {
    const column = columns.reduce((best, one) => (one.height < best.height - 0.01 ? one : best));
    column.element.append(card(job, shown + i));
    column.height += heightOf(job);
  }
  shown += page.length;
}

function fitting() {
  return Math.max(1, Math.floor(($("grid").clientWidth + 20) / 300));
}

function update() {
  const words = $("search").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (job) => words.every((word) => `${job.prompt} ${job.id} ${job.taskid || ""}`.toLowerCase().includes(word));
  const searched = jobs.filter(fits);
  found = searched.filter((job) => state === "all" || job.state === state);
  const buttons = ["all", ...ORDER.filter((name) => jobs.some((job) => job.state === name))].map((name) => {
    const count = name === "all" ? searched.length : searched.filter((job) => job.state === name).length;
    return make("button", { type: "button", ariaPressed: String(name === state), "data-filter": name, onclick: () => { state = name; update(); } }, t(name), make("b", {}, String(count)));
  });
  $("filters").replaceChildren(...buttons);
  $("summary").textContent = t("summary")(jobs.length, jobs.reduce((sum, job) => sum + job.pictures.length, 0));
  $("none").hidden = found.length > 0;
  lay(fitting());
  shown = 0;
  more();
}

function translate() {
  document.documentElement.lang = language;
  document.title = `SeeDream · ${t("title")}`;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-t-placeholder]")) element.placeholder = t(element.dataset.tPlaceholder);
  for (const element of document.querySelectorAll("[data-t-title]")) element.title = t(element.dataset.tTitle);
  $("language").textContent = language === "en" ? "中文" : "English";
  update();
}

function view(position, index) {
  current = [position, index];
  const job = found[position], picture = job.pictures[index];
  $("full").src = picture.path;
  $("full").alt = job.prompt;
  $("badge").textContent = t(job.state);
  $("badge").dataset.state = job.state;
  $("prompt").textContent = job.prompt;
  const size = `${picture.width ? `${picture.width} × ${picture.height}, ` : ""}${(picture.bytes / 1e6).toFixed(1)} MB`;
  const facts = { id: job.id, line: job.line, taskid: job.taskid, resolution: job.resolution, size, spent: job.spent, error: job.error };
  $("facts").replaceChildren(...Object.entries(facts).filter(([, value]) => value !== null && value !== undefined && value !== "").flatMap(([name, value]) => [make("dt", {}, t(name)), make("dd", {}, String(value))]));
  $("copy").textContent = t("copy");
  $("open").href = picture.path;
  if (!$("viewer").open) $("viewer").showModal();
}

function turn(step) {
  const all = found.flatMap((job, position) => job.pictures.map((_, index) => [position, index]));
  const at = all.findIndex(([position, index]) => position === current[0] && index === current[1]);
  if (all.length) view(...all[(at + step + all.length) % all.length]);
}

function theme() {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  remember("theme", document.documentElement.dataset.theme);
}

if (remembered("theme")) document.documentElement.dataset.theme = remembered("theme");
$("search").addEventListener("input", update);
$("theme").addEventListener("click", theme);
$("language").addEventListener("click", () => { language = language === "en" ? "zh" : "en"; remember("language", language); translate(); });
$("previous").addEventListener("click", () => turn(-1));
$("next").addEventListener("click", () => turn(1));
$("close").addEventListener("click", () => $("viewer").close());
$("viewer").addEventListener("click", (event) => { if (event.target.classList.contains("stage")) $("viewer").close(); });
$("copy").addEventListener("click", async () => {
  try { await navigator.clipboard.writeText($("prompt").textContent); $("copy").textContent = t("copied"); }
  catch { getSelection().selectAllChildren($("prompt")); }
});
document.addEventListener("keydown", (event) => {
  if (!$("viewer").open) return;
  if (event.key === "ArrowRight") turn(1);
  if (event.key === "ArrowLeft") turn(-1);
});
addEventListener("resize", () => { if (fitting() !== columns.length) update(); });
new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) more(); }, { rootMargin: "1200px" }).observe($("more"));
translate();
