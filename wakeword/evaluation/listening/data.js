// What the page holds, and small helpers. The scripts of this folder are one module.

const at = (id) => document.getElementById(id);
const data = JSON.parse(at("data").textContent);
const FILTERS = ["basis", "kind", "word", "condition", "corpus", "speaker", "class"];
const NO_CLASS = "none yet";

/** An element with text inside: text is never HTML, whatever a transcript says. */
function element(tag, text = "", properties = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  return Object.assign(made, properties);
}

/** The event's name for its class: the same on the page of another model or threshold. */
function keyOf(event) {
  const truth = event.truths.find(([word]) => word === event.word);
  const when = event.kind === "miss" ? (truth?.[1] ?? 0) : event.time_s;
  return [event.kind, event.word, event.condition, event.recording, when].join("|");
}

const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
