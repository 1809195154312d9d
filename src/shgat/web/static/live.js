// What happens now, and how it went: tiles and charts from /v1/stats, /v1/history and /v1/models.

import { ask } from "./api.js";
import { lines } from "./charts.js";
import { $, duration, el, percent, tile, time } from "./dom.js";

const whole = (value) => (value == null ? "–" : Math.round(value).toLocaleString());
const millis = (value) => (value == null ? "–" : `${value.toFixed(2)} ms`);

export async function live() {
  const [{ ranker, server }, { samples }, alerts] = await Promise.all([ask("/v1/stats"), ask("/v1/history"), ask("/v1/alerts")]);
  $("serving").textContent = ranker.model_version;
  const degraded = ranker.answers.all ? ranker.answers.degraded / ranker.answers.all : 0;
  $("tiles").replaceChildren(
    tile("version", ranker.model_version), tile("answers", whole(ranker.answers.all)), tile("degraded", percent(degraded)),
    tile("p50", millis(ranker.latency_ms.p50)), tile("p99", millis(ranker.latency_ms.p99)), tile("requests", whole(server.requests)),
    tile("server errors", whole(server.errors)), tile("wait to be learned", whole(ranker.backlog.traces)),
    tile("training", ranker.training ? "now" : "rests"), tile("up", duration(server.uptime_s)),
  );
  const rate = samples.slice(1).map((s, i) => [s.at, Math.max(0, s.answers - samples[i].answers) / Math.max(0.1, s.at - samples[i].at)]);
  lines($("speed"), ["answers a second"], rate);
  lines($("latency"), ["p50", "p99"], samples.map((s) => [s.at, s.p50_ms, s.p99_ms]), { format: (v) => v.toFixed(2) });
  lines($("backlog"), ["traces"], samples.map((s) => [s.at, s.backlog]), { format: (v) => v.toFixed(0) });
  watched(alerts);
  const troubles = [...ranker.trouble, ...server.trouble];
  $("trouble").replaceChildren(el("h2", {}, troubles.length ? "Trouble" : "No trouble"), ...troubles.map((t) => el("p", { class: "error" }, t)));
}

function watched({ firing, ended, rules }) {
  const alert = (a, when) => el("li", { class: a.severity }, el("strong", {}, a.name), ` ${a.summary} `, el("span", { class: "dim" }, `${a.value.toPrecision(3)}, limit ${a.limit}; ${when}. ${a.remedy}`));
  $("alerts").replaceChildren(
    el("h2", {}, firing.length ? `${firing.length} ${firing.length === 1 ? "alert" : "alerts"}` : "All is as it should be"),
    el("ul", { class: "alerts" }, firing.map((a) => alert(a, `since ${time(a.since)}`))),
    ...(ended.length ? [el("h2", { class: "dim" }, "Ended lately"), el("ul", { class: "alerts ended" }, ended.slice(0, 5).map((a) => alert(a, `${time(a.since)} to ${time(a.until)}`)))] : []),
  );
  const names = new Set(firing.map((a) => a.name));
  $("rules").replaceChildren(el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Rules" }, el("table", {},
    el("thead", {}, el("tr", {}, ["", "rule", "now", "limit", "what it would mean"].map((n) => el("th", {}, n)))),
    el("tbody", {}, rules.map((r) => el("tr", { class: names.has(r.name) && "error" }, el("td", {}, names.has(r.name) ? "✖" : r.value == null ? "" : "✔"), el("td", {}, r.name), el("td", {}, r.value == null ? "–" : r.value.toPrecision(3)), el("td", {}, `${r.op} ${r.limit}`), el("td", {}, r.summary)))))));
}

export async function learning() {
  const [{ ranker }, { usefulness, samples, group }] = await Promise.all([ask("/v1/stats"), ask("/v1/history")]);
  const models = await ask("/v1/models").catch(() => ({ versions: [] }));
  $("serving").textContent = ranker.model_version;
  const latest = usefulness[usefulness.length - 1];
  const last = ranker.last_training;
  $("lessons").replaceChildren(
    tile("stood first, lately", percent(latest?.first)), tile("in the first five", percent(latest?.in_five)), tile("worked", percent(ranker.success.rate)),
    tile("trainings accepted", whole(ranker.trainings.accepted)), tile("refused", whole(ranker.trainings.refused)), tile("last took", last ? `${last.seconds.toFixed(1)} s` : "–"),
  );
  const marks = samples.filter((s, i) => i && s.version !== samples[i - 1].version).map((s) => [s.at, s.version]);
  lines($("useful"), ["first", "in the first five"], usefulness.map((p) => [p.at, p.first, p.in_five]), { top: 1, format: percent, marks, empty: `A point for every ${group} feedbacks that worked: none, or one, so far.` });
  lines($("success"), ["worked"], samples.map((s) => [s.at, s.success]), { top: 1, format: percent, marks });
  const held = models.versions.filter((v) => Object.keys(v.validation).length);
  const names = ["hit@1", "recall@5", "mrr"];
  $("heldout").replaceChildren(held.length ? el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Held-out figures" }, el("table", {},
    el("thead", {}, el("tr", {}, el("th", {}, "version"), names.map((n) => [el("th", {}, n), el("th", {}, "cosine")]), el("th", {}, "intents"))),
    el("tbody", {}, held.map((v) => el("tr", {}, el("td", {}, `v${v.version}`), names.map((n) => [el("td", {}, figure(v.validation.shgat?.[n])), el("td", { class: "dim" }, figure(v.validation.cosine?.[n]))]), el("td", {}, v.validation.shgat?.n ?? "–")))))) :
    el("p", { class: "hint" }, "No version was fitted yet."));
}

const figure = (value) => (value == null ? "–" : value.toFixed(3));
