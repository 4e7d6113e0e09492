// Rows of requests: the verdict in one line, everything received below it.
import { clock, make } from "./dom.js";
import { word } from "./words.js";

/** One request as a row that opens. An old row of the same request tells whether it was open. */
export function row(record, old) {
  const [verdict, fault] = record.verdict.split(" ");
  const struck = fault ?? record.faults.join(", ");
  const quiet = verdict === "accepted" && !record.charged ? "quiet" : "";
  const end = record.path.split("/").pop() || record.path;
  const short = record.host === "images" && /^\d+$/.test(end) ? word("picture", Number(end) + 1) : end;
  const details = make(
    "details",
    { class: `request ${verdict} ${quiet}`, open: old?.open ? "" : null },
    make(
      "summary",
      {},
      make("span", { class: "number" }, `${record.number}`),
      make("span", { class: `pill ${verdict}` }, word(verdict) ?? verdict),
      make("span", { class: "where", title: `${record.method} ${record.path}` }, short),
      record.host === "images" ? make("span", { class: "tag" }, word("image_host")) : null,
      record.rule ? make("code", { class: "rule" }, record.rule) : null,
      struck ? make("code", { class: "struck" }, struck) : null,
      make("span", { class: "outcome" }, outcome(record)),
      make("time", {}, clock(record.at)),
    ),
    record.message ? make("p", { class: "message" }, record.message) : null,
    table("fields", Object.entries(record.fields).flatMap(([name, values]) => values.map((value) => [name, shown(value)]))),
    table(
      "files",
      record.files.map(([field, name, type, size]) => [field, `${name}  ${type}  ${size.toLocaleString()} ${word("bytes")}`]),
    ),
    record.taskid ? table("task", [["taskid", record.taskid]]) : null,
    table("headers", record.headers),
  );
  return details;
}

function outcome(record) {
  if (!record.status) return word("no_reply");
  return record.code === null ? `${record.status}` : `${record.status} · ${record.code}`;
}

const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value));

function table(title, rows) {
  if (!rows.length) return null;
  const lines = rows.map(([name, value]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, value)));
  return make("table", {}, make("caption", {}, word(title)), make("tbody", {}, ...lines));
}
