// Filters, order, counts; then everything begins.

const ORDERS = {
  worst: (a, b) => b.how_wrong - a.how_wrong,
  least: (a, b) => a.how_wrong - b.how_wrong,
  recording: (a, b) => a.recording.localeCompare(b.recording) || a.time_s - b.time_s,
  faint: (a, b) => data.excerpts[a.excerpt].level_dbfs - data.excerpts[b.excerpt].level_dbfs,
};

let shown = [];
let current = null;

const valueOf = (event, name) => (name === "class" ? classOf(event) || NO_CLASS : event[name]);

/** All classes in use, in the order of the alphabet: their keys do not jump about. */
const knownClasses = () => [...new Set(data.events.map(classOf).filter(Boolean))].sort();

function fillSelect(name, values, all) {
  const before = at(name).value;
  const options = values.map((value) => element("option", value, { value }));
  if (all) options.unshift(element("option", "all", { value: "" }));
  at(name).replaceChildren(...options);
  at(name).value = values.includes(before) ? before : (options[0]?.value ?? "");
}

function fillFilters() {
  for (const name of FILTERS) {
    const values = [...new Set(data.events.map((event) => valueOf(event, name)))].sort();
    fillSelect(name, values, name !== "basis");
  }
}

/** The thresholds that ship are what users get: they are shown first. */
function showShipped() {
  if (data.events.some((event) => event.basis === "shipped")) at("basis").value = "shipped";
  show();
}

function chosen() {
  const wanted = FILTERS.map((name) => [name, at(name).value]).filter(([, value]) => value);
  const text = at("text").value.trim().toLowerCase();
  const said = ({ transcript, recording, mixed_in: sounds }) =>
    `${transcript} ${recording} ${sounds}`.toLowerCase();
  return data.events.filter((event) =>
    wanted.every(([name, value]) => valueOf(event, name) === value) &&
    said(event).includes(text));
}

function show() {
  shown = chosen().sort(ORDERS[at("order").value]);
  at("events").replaceChildren(...shown.map(cardOf));
  const misses = shown.filter((event) => event.kind === "miss").length;
  const all = data.events.filter((event) => event.basis === at("basis").value).length;
  at("count").textContent = `${misses} misses and ${shown.length - misses} false alarms shown, ` +
    `of ${all} on this page with these thresholds.`;
  showClasses();
}

function showClasses() {
  const counts = new Map();
  for (const event of shown) {
    const name = classOf(event) || NO_CLASS;
    const row = counts.get(name) ?? [0, 0];
    row[event.kind === "miss" ? 0 : 1] += 1;
    counts.set(name, row);
  }
  const names = knownClasses();
  const rows = [...counts].sort(([, a], [, b]) => b[0] + b[1] - a[0] - a[1]);
  at("classes").tBodies[0].replaceChildren(...rows.map(([name, [misses, alarms]]) => {
    const number = names.indexOf(name) + 1;
    const line = element("tr");
    const cells = [number && number < 10 ? number : "", name, misses, alarms];
    line.append(...cells.map((text) => element("td", String(text))));
    return line;
  }));
  at("known-classes").replaceChildren(...names.map((value) => element("option", "", { value })));
  fillSelect("class", [NO_CLASS, ...names], true);
}

function showAbout() {
  const { bundle, version, split, seed, target_fa_per_hour: target } = data.about;
  at("about").textContent = `${bundle} ${version}, split ${split}, seed ${seed}, thresholds for ` +
    `${target} false alarms per hour and word.`;
  const more = Object.entries(data.left_out).map(([what, count]) => `${count} ${what}`);
  if (more.length) {
    at("left-out").textContent = `Left out, as less wrong than what is shown: ${more.join("; ")}.`;
  }
}

for (const event of data.events) event.key = keyOf(event);
showAbout();
fillFilters();
at("filters").addEventListener("input", show);
at("filters").addEventListener("submit", (submitted) => submitted.preventDefault());
at("filters").addEventListener("reset", () => setTimeout(showShipped)); // when it is done
at("save").addEventListener("click", saveClasses);
at("load").addEventListener("change", ({ target }) => {
  if (target.files[0]) loadClasses(target.files[0]);
});
at("previous").addEventListener("click", () => move(-1));
at("next").addEventListener("click", () => move(1));
player.addEventListener("seeked", follow);
player.addEventListener("play", follow);
addEventListener("resize", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
showShipped();
