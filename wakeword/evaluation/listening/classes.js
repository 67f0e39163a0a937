// Classes of error that a person gives, kept in the browser, saved and loaded as JSON.

const STORE = "wakeword-classes-of-error";
const SAVED = ["kind", "word", "condition", "recording", "corpus", "speaker", "transcript",
  "mixed_in", "time_s", "basis", "peak", "threshold", "how_wrong", "key"];

/** By key of the event, { class, note }. */
const classes = new Map();
try {
  remember(JSON.parse(localStorage.getItem(STORE) ?? "[]"));
} catch {
  at("kept").textContent = "The browser keeps nothing for this page: save the classes as JSON.";
}

/** Take over a list of { key, class, note }, all or, where it is something else, nothing. */
function remember(list) {
  if (!list.every(({ key }) => typeof key === "string")) throw new TypeError("an event has no key");
  for (const { key, class: name, note } of list) {
    classes.set(key, { class: String(name ?? ""), note: String(note ?? "") });
  }
}

const classOf = (event) => classes.get(event.key)?.class ?? "";
const noteOf = (event) => classes.get(event.key)?.note ?? "";

function classify(event, name, note) {
  if (name || note) classes.set(event.key, { class: name, note });
  else classes.delete(event.key);
  // The same error is listed once for each kind of threshold.
  data.events.filter(({ key }) => key === event.key).forEach(fillNotes);
  keepClasses();
}

function keepClasses() {
  const list = [...classes].map(([key, given]) => ({ key, ...given }));
  try {
    localStorage.setItem(STORE, JSON.stringify(list));
  } catch {
    at("kept").textContent = "Not kept by the browser: save the classes as JSON.";
  }
  showClasses();
}

function saveClasses() {
  const given = data.events.filter((event) => classes.has(event.key));
  const events = given.map((event) => ({
    ...Object.fromEntries(SAVED.map((name) => [name, event[name]])),
    ...classes.get(event.key),
  }));
  const text = JSON.stringify({ about: data.about, events }, null, 2);
  const link = element("a", "", {
    href: URL.createObjectURL(new Blob([text], { type: "application/json" })),
    download: "classes-of-error.json",
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  at("kept").textContent = `${events.length} saved.`;
}

async function loadClasses(file) {
  try {
    const { events } = JSON.parse(await file.text());
    remember(events);
    at("kept").textContent = `${events.length} loaded.`;
  } catch (error) {
    at("kept").textContent = `Not a file of classes: ${error.message}`;
    return;
  }
  data.events.forEach(fillNotes);
  show();
  keepClasses();
}
