// Charts, live update, copying, keys. Nothing here makes markup of data: that is the templates' work.
"use strict";
const one = (selector) => document.querySelector(selector);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const COLOURS = ["--first", "--second", "--third"];
const NAMES = { p50: "p50", p95: "p95", p99: "p99", first50: "p50", first95: "p95" };

function unit(value, of) {
  if (value == null) return "–";
  if (of !== "s") return value.toLocaleString("en");
  return value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(2)} s`;
}

function chart(place, points, addresses) {
  const names = place.dataset.series.split(" "), of = place.dataset.unit;
  const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  const moment = (seconds, step) => {
    const text = new Date(seconds * 1000).toISOString();
    const isDate = step >= 86400 || text.slice(11, 19) === "00:00:00";
    return isDate ? text.slice(5, 10) : text.slice(11, step < 60 ? 19 : 16);
  };
  const go = (address, since, until) => {
    location.href = address.replace("SINCE", Math.round(since * 1000)).replace("UNTIL", Math.round(until * 1000));
  };
  const options = {
    width: place.clientWidth,
    height: 190,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    cursor: { sync: { key: "time" }, drag: { x: true, y: false, setScale: false } },
    scales: { y: { range: (_, low, high) => [0, high > 0 ? high * 1.1 : 1] } },
    axes: [{ ...axis, size: 32, values: (_, times, __, ___, step) => times.map((time) => moment(time, step)) }, { ...axis, size: 62, values: (_, values) => values.map((value) => unit(value, of)) }],
    series: [
      { label: "UTC", value: "{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}" },
      ...names.map((name, number) => {
        const stroke = colour(name === "failed" ? "--bad" : COLOURS[number]);
        const label = NAMES[name] || name;
        return { label, stroke, width: 2, spanGaps: true, points: { size: 5 }, value: (_, value) => unit(value, of) };
      }),
    ],
    hooks: {
      setCursor: [(plot) => plot.root.classList.toggle("idle", plot.cursor.idx == null)],
      setSelect: [(plot) => {
        if (plot.select.width < 5) return;
        const from = plot.posToVal(plot.select.left, "x"), to = plot.posToVal(plot.select.left + plot.select.width, "x");
        go(addresses.zoom, from, to);
      }],
    },
  };
  place.replaceChildren();
  const plot = new uPlot(options, [points.times, ...names.map((name) => points[name])], place);
  plot.root.classList.add("idle");
  plot.over.addEventListener("click", () => {
    const number = plot.cursor.idx;
    if (number == null || plot.select.width >= 5) return;
    go(addresses.calls, points.times[number], points.times[number] + points.step);
  });
  const last = names.map((name) => `${NAMES[name] || name} ${unit(points[name].at(-1), of)}`).join(", ");
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", `${place.previousElementSibling.textContent}, at last: ${last}`);
}

function period(seconds) {
  const [size, name] = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]].find(([size]) => seconds % size === 0) || [1, "second"];
  return seconds === size ? `a ${name}`.replace("a hour", "an hour") : `${(seconds / size).toLocaleString("en")} ${name}s`;
}

async function answer(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${response.status}`);
  return response;
}

async function drawCharts() {
  const charts = one(".charts"), state = one("#charts-state");
  if (!charts) return;
  try {
    const points = await (await answer(charts.dataset.points)).json();
    const isEmpty = !points.times.length;
    state.textContent = isEmpty ? "No call in this time: choose a longer one above." : "";
    charts.hidden = one(".hint").hidden = isEmpty;
    one("#step").textContent = isEmpty ? "" : `A point is ${period(points.step)}; times are UTC.`;
    if (!isEmpty) document.querySelectorAll(".chart").forEach((place) => {
      const isThere = place.dataset.series.split(" ").some((name) => points[name].some((value) => value != null));
      if (isThere) chart(place, points, charts.dataset);
      else place.textContent = "Not recorded by these calls.";
    });
  } catch (error) {
    state.textContent = `The charts cannot be loaded (${error.message}): start local Arthur again with \`otel-arthur local\`, then reload.`;
  }
}

// The page says which version of the database is on it: a change before the first question counts too.
let version = one("#live").dataset.version;
async function followChanges() {
  const live = one("#live");
  const isHere = one("#fresh") || one(".nothing");
  if (!isHere || document.hidden) return;
  try {
    const now = await (await answer("/version")).text();
    live.textContent = "live";
    version ??= now;
    if (now !== version) {
      const fresh = new DOMParser().parseFromString(await (await answer(location.href)).text(), "text/html");
      if (!one("#fresh")) return location.reload();
      const row = rows().indexOf(document.activeElement.closest("tr"));
      for (const id of ["fresh", "tables"]) {
        const old = document.getElementById(id), next = fresh.getElementById(id);
        if (old && next) old.replaceWith(next);
      }
      if (row >= 0) select(row);
      version = fresh.getElementById("live").dataset.version;
      await drawCharts();
    }
  } catch (error) {
    live.textContent = "not live: local Arthur does not answer; start it again with `otel-arthur local`";
  }
}

const rows = () => [...document.querySelectorAll("table.calls tbody tr")];
function select(number) {
  const row = rows()[Math.min(Math.max(number, 0), rows().length - 1)];
  if (row) row.querySelector("a").focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
  const at = rows().indexOf(document.activeElement.closest("tr"));
  const link = { ArrowLeft: 'a[rel="prev"]', ArrowRight: 'a[rel="next"]' }[event.key];
  if (link && one(link)) one(link).click();
  else if (event.key === "/" && one('input[type="search"]')) one('input[type="search"]').focus();
  else if (event.key === "/") location.href = "/calls";
  else if (event.key === "j") select(at + 1);
  else if (event.key === "k") select(at - 1);
  else return;
  event.preventDefault();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button.copy");
  if (!button) return;
  const label = button.dataset.label || (button.dataset.label = button.textContent);
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "copied";
  } catch {
    button.textContent = "not allowed here: mark the text and copy it";
  }
  setTimeout(() => { button.textContent = label; }, 2000);
});

// The link's token has done its work; empty fields of the form would only lengthen addresses.
const address = new URL(location.href);
if (address.searchParams.has("token")) {
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
}
document.addEventListener("submit", (event) => {
  for (const field of event.target.elements) if (field.name && !field.value) field.disabled = true;
});

let redraw;
addEventListener("resize", () => { clearTimeout(redraw); redraw = setTimeout(drawCharts, 200); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawCharts);
drawCharts();
followChanges();
setInterval(followChanges, 3000);
