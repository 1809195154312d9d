// Tabs, theme, key; and what each view does when it is opened.

import { hasKey, takeKeyFromAddress, useKey } from "./api.js";
import { $ } from "./dom.js";
import * as graph from "./graph.js";
import { learning, live } from "./live.js";
import * as models from "./models.js";
import * as play from "./play.js";

const EVERY = 2500; // milliseconds between looks at what moves
const THEMES = ["auto", "light", "dark"];
const tabs = [...document.querySelectorAll("[role=tab]")];
const OPEN = { play: play.open, graph: () => graph.open(guard), models: models.open, learning, live };
let shown = "play", looking = false;

async function guard(action) {
  try {
    await action();
    $("notice").textContent = "";
  } catch (error) {
    $("notice").textContent = error.message;
    if (error.status === 401 && !$("key-dialog").open) $("key-dialog").showModal();
    if (error.status === undefined) console.error(error);
  }
}

function select(name, focus = false) {
  shown = name;
  for (const tab of tabs) {
    const mine = tab.getAttribute("aria-controls") === name;
    tab.setAttribute("aria-selected", mine);
    tab.tabIndex = mine ? 0 : -1;
    $(tab.getAttribute("aria-controls")).hidden = !mine;
    if (mine) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (mine && focus) tab.focus();
  }
  history.replaceState(null, "", `#${name}`);
  return guard(OPEN[name]);
}

function theme(name) {
  if (name === "auto") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.dataset.theme = name;
  localStorage.setItem("shgat-theme", name);
  $("theme").querySelector("span").textContent = name;
  $("theme").setAttribute("aria-label", `Theme: ${name === "auto" ? "as the system" : name}`);
}

takeKeyFromAddress();
theme(THEMES.includes(localStorage.getItem("shgat-theme")) ? localStorage.getItem("shgat-theme") : "auto");
$("theme").addEventListener("click", () => theme(THEMES[(THEMES.indexOf(localStorage.getItem("shgat-theme")) + 1) % 3]));
$("key").addEventListener("click", () => $("key-dialog").showModal());
$("key-dialog").addEventListener("close", () => {
  if ($("key-dialog").returnValue === "use" && $("key-value").value) { useKey($("key-value").value.trim()); guard(OPEN[shown]); }
  $("key-value").value = "";
});
for (const tab of tabs) tab.addEventListener("click", () => select(tab.getAttribute("aria-controls")));
document.querySelector("nav").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const at = tabs.findIndex((tab) => tab.getAttribute("aria-selected") === "true");
  const to = step ? (at + step + tabs.length) % tabs.length : { Home: 0, End: tabs.length - 1 }[event.key];
  if (to !== undefined) { event.preventDefault(); select(tabs[to].getAttribute("aria-controls"), true); }
});
const inGraph = (id) => select("graph").then(() => guard(() => graph.show(id, guard, false, true)));
play.start(guard, inGraph);
graph.start(guard);
models.start(guard);
setInterval(() => {
  if (looking || document.hidden || $("key-dialog").open || !["live", "learning"].includes(shown)) return;
  looking = true;
  guard(OPEN[shown]).finally(() => { looking = false; });
}, EVERY);
const wanted = location.hash.slice(1);
if (hasKey()) select(wanted in OPEN ? wanted : "play");
else { $("key-dialog").showModal(); }
