// One event as an entry of the list.

const CARDS = new Map();

function cardOf(event) {
  if (!CARDS.has(event)) CARDS.set(event, makeCard(event));
  return CARDS.get(event);
}

function makeCard(event) {
  const card = element("li", "", { tabIndex: -1 });
  const alarm = event.kind !== "miss";
  const heading = element("h2");
  heading.append(element("span", event.kind, { className: alarm ? "alarm" : "miss" }),
    element("span", ` ${event.word}: ${event.how_wrong.toFixed(1)} logits`));
  const facts = element("dl");
  for (const [name, value] of factsOf(event)) {
    facts.append(element("dt", name), element("dd", value));
  }
  const words = element("div");
  words.append(heading, facts, notesOf(event));
  const picture = element("div", "", { className: "picture" });
  const canvas = element("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `Spectrogram, ${data.features} and posteriors of ` +
    `${event.word}; highest score ${event.peak}, threshold ${event.threshold}`);
  picture.append(canvas, element("div", "", { className: "head" }));
  picture.addEventListener("click", (click) => {
    const { left, width } = canvas.getBoundingClientRect();
    play(event, ((click.clientX - left) / width) * secondsOf(event));
  });
  card.addEventListener("focusin", () => select(event));
  card.addEventListener("pointerdown", () => select(event));
  card.append(words, picture);
  card.event = event;
  inView.observe(card);
  return card;
}

const secondsOf = (event) => {
  const { start_s: start, stop_s: stop } = data.excerpts[event.excerpt];
  return stop - start;
};

function factsOf(event) {
  const { start_s: start, level_dbfs: level } = data.excerpts[event.excerpt];
  const others = event.detections.map(([word, time]) => `${word} at ${time.toFixed(1)} s`);
  return [
    ["score", `${event.peak.toFixed(3)}, threshold ${event.threshold.toFixed(3)} (${event.basis})`],
    ["condition", event.condition],
    ...(event.mixed_in ? [["mixed with", event.mixed_in]] : []),
    ["text", event.transcript || "none"],
    ["speaker", `${event.speaker} (${event.corpus})`],
    ["recording", event.recording],
    ["time", `${event.time_s.toFixed(1)} s; the excerpt begins at ${start.toFixed(1)} s`],
    ["level", `${level.toFixed(1)} dBFS in its loudest 0.3 s`],
    ["detected", others.join(", ") || "nothing"],
  ];
}

function notesOf(event) {
  const form = element("form", "", { className: "notes" });
  const name = element("input", "", { placeholder: "class of error", value: classOf(event) });
  name.setAttribute("list", "known-classes");
  name.setAttribute("aria-label", "class of error");
  const note = element("input", "", { placeholder: "note", value: noteOf(event) });
  note.setAttribute("aria-label", "note");
  const keep = () => classify(event, name.value.trim(), note.value.trim());
  name.addEventListener("change", keep);
  note.addEventListener("change", keep);
  form.append(name, " ", note, element("button", "Keep", { hidden: true }));
  form.addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    keep();
    move(1);
  });
  return form;
}

function fillNotes(event) {
  const [name, note] = CARDS.get(event)?.querySelectorAll(".notes input") ?? [];
  if (name) [name.value, note.value] = [classOf(event), noteOf(event)];
}
