// Pictures: decoded and drawn when they come near the view, let go when they leave it.

const MAGMA = [[0, 0, 4], [28, 16, 68], [79, 18, 123], [129, 37, 129], [181, 54, 122],
  [229, 80, 100], [251, 135, 97], [254, 194, 135], [252, 253, 191]];
const PALETTE = Array.from({ length: data.levels }, (_, level) => {
  const place = (level / (data.levels - 1)) * (MAGMA.length - 1);
  const low = Math.min(Math.floor(place), MAGMA.length - 2);
  return MAGMA[low].map((value, i) => value + (place - low) * (MAGMA[low + 1][i] - value));
});

const inView = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) draw(target);
    else target.querySelector("canvas").width = 0; // hundreds of canvases would fill the memory
  }
}, { rootMargin: "800px" });

async function draw(card) {
  const { event } = card;
  const excerpt = data.excerpts[event.excerpt];
  const pixels = await inflate(bytesOf(at(`pictures-${event.excerpt}`).textContent));
  const canvas = card.querySelector("canvas");
  const scale = devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.font = "11px system-ui, sans-serif";
  pen.imageSmoothingEnabled = false;
  const x = (seconds) =>
    ((seconds - excerpt.start_s) / (excerpt.stop_s - excerpt.start_s)) * width;
  const plan = { pen, event, excerpt, width, x, ...coloursOf(card) };
  const spectrogram = excerpt.frames * data.bands;
  const third = (height - 20) / 3;
  drawImage(plan, pixels.subarray(0, spectrogram), data.bands, 0, third - 2, "spectrogram");
  drawImage(plan, pixels.subarray(spectrogram), data.channels, third, third - 2, data.features);
  drawScores(plan, 2 * third, third);
  drawTimes(plan, 3 * third, height);
}

/** Those of the style sheet; only a property that takes colours resolves light-dark(). */
function coloursOf(card) {
  const probe = card.appendChild(element("span"));
  const resolve = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = {
    ink: resolve("ink"), faint: resolve("faint"), grey: resolve("line"), mark: resolve("chosen"),
  };
  probe.remove();
  return colours;
}

function drawImage({ pen, excerpt, x }, levels, bands, top, height, name) {
  if (!excerpt.frames) return;
  const image = new ImageData(excerpt.frames, bands);
  for (let frame = 0; frame < excerpt.frames; frame += 1) {
    for (let band = 0; band < bands; band += 1) {
      const [red, green, blue] = PALETTE[levels[frame * bands + band]];
      image.data.set([red, green, blue, 255], 4 * ((bands - 1 - band) * excerpt.frames + frame));
    }
  }
  const small = new OffscreenCanvas(excerpt.frames, bands);
  small.getContext("2d").putImageData(image, 0, 0);
  const left = x(excerpt.first_frame_s - data.hop_s / 2);
  const right = x(excerpt.first_frame_s + (excerpt.frames - 0.5) * data.hop_s);
  pen.drawImage(small, left, top, right - left, height);
  pen.fillStyle = "#fff";
  pen.fillText(name, 4, top + 12);
}

function drawScores(plan, top, height) {
  const { pen, event, excerpt, width, x } = plan;
  const y = (score) => top + height - 2 - score * (height - 6);
  drawTruths(plan, top, height);
  pen.strokeStyle = pen.fillStyle = plan.mark;
  pen.setLineDash([5, 4]);
  line(pen, [[0, y(event.threshold)], [width, y(event.threshold)]]);
  pen.setLineDash([]);
  let label = top + 12;
  for (const [word, scores] of Object.entries(excerpt.scores)) {
    const own = word === event.word;
    [pen.strokeStyle, pen.lineWidth] = own ? [plan.ink, 2.5] : [plan.faint, 1];
    const place = (i) => x(excerpt.first_score_s + i * data.step_s);
    line(pen, scores.map((score, i) => [place(i), y(score / 1000)]));
    const best = scores.indexOf(Math.max(...scores));
    if (own || scores[best] > 200) {
      pen.fillStyle = own ? plan.ink : plan.faint;
      const left = Math.min(place(best) + 4, width - 70);
      pen.fillText(word, left, Math.max(label, y(scores[best] / 1000)));
      label += 11;
    }
  }
  pen.lineWidth = 1;
  for (const [word, time] of event.detections) {
    pen.fillStyle = word === event.word ? plan.ink : plan.faint;
    const [middle, low] = [x(time), top + height];
    pen.beginPath();
    pen.moveTo(middle, low - 9);
    pen.lineTo(middle - 5, low);
    pen.lineTo(middle + 5, low);
    pen.fill();
  }
}

function drawTruths({ pen, event, x, mark }, top, height) {
  pen.strokeStyle = mark;
  if (!event.times_known) pen.setLineDash([1, 3]);
  for (const [, start, end] of event.truths) {
    const [left, right, high] = [x(start) + 1, x(end) - 1, top + 4];
    line(pen, [[left, top + height], [left, high], [right, high], [right, top + height]]);
  }
  pen.setLineDash([]);
}

function drawTimes({ pen, excerpt, width, x, faint, grey }, top, height) {
  pen.strokeStyle = grey;
  pen.fillStyle = faint;
  line(pen, [[0, top], [width, top]]);
  for (let time = Math.ceil(excerpt.start_s * 2) / 2; time < excerpt.stop_s; time += 0.5) {
    line(pen, [[x(time), top], [x(time), top + 4]]);
    if (x(time) < width - 36) pen.fillText(`${time.toFixed(1)} s`, x(time) + 2, height - 6);
  }
}

function line(pen, points) {
  pen.beginPath();
  for (const [x, y] of points) pen.lineTo(x, y);
  pen.stroke();
}

function redraw() {
  for (const card of at("events").children) {
    if (card.querySelector("canvas").width) draw(card);
  }
}
