// Playing, and the keys.

const player = at("player");
let loaded = null;

function select(event) {
  if (current === event) return;
  CARDS.get(current)?.removeAttribute("aria-current");
  current = event;
  cardOf(event).setAttribute("aria-current", "true");
}

function play(event, from = 0) {
  select(event);
  if (loaded !== event) {
    loaded = event;
    player.src = `data:audio/ogg;base64,${at(`sound-${event.excerpt}`).textContent}`;
    at("playing").textContent = `${event.kind}: ${event.word}, ${event.recording}`;
  }
  player.currentTime = from;
  player.play().then(follow, (error) => {
    at("playing").textContent = `Cannot play: ${error.message}`;
  });
}

/** Move the line over the picture along with the sound. */
function follow() {
  for (const head of document.querySelectorAll(".head")) head.style.visibility = "hidden";
  const card = CARDS.get(loaded);
  if (!card?.isConnected) return;
  const head = card.querySelector(".head");
  head.style.visibility = "visible";
  const width = card.querySelector("canvas").clientWidth;
  head.style.transform = `translateX(${(player.currentTime / secondsOf(loaded)) * width}px)`;
  if (!player.paused) requestAnimationFrame(follow);
}

function toggle() {
  if (!current && shown.length) select(shown[0]);
  if (!current) return;
  if (loaded === current && !player.paused) player.pause();
  else if (loaded === current && player.currentTime < player.duration) player.play().then(follow);
  else play(current);
}

function move(by) {
  const now = shown.indexOf(current);
  const next = shown[now < 0 ? 0 : now + by];
  if (!next) return;
  const card = cardOf(next);
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "center" });
  if (!player.paused) play(next);
}

const KEYS = {
  " ": toggle, n: () => move(1), j: () => move(1), p: () => move(-1), k: () => move(-1),
  c: () => current && cardOf(current).querySelector(".notes input").focus(),
};

document.addEventListener("keydown", (pressed) => {
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return;
  if (pressed.target.closest?.("input, select, button, summary, audio, label")) return;
  const name = /^[1-9]$/.test(pressed.key) && knownClasses()[pressed.key - 1];
  if (!(pressed.key in KEYS) && !(name && current)) return;
  pressed.preventDefault();
  if (name) {
    classify(current, name, noteOf(current));
    fillNotes(current);
  } else {
    KEYS[pressed.key]();
  }
});
