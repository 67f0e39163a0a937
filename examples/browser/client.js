// Streams the microphone to a wakeword service and tells what it hears. No library, no build step.
//
//   const client = new WakewordClient("ws://localhost:8765/v1/stream", {models: ["computer"]});
//   client.addEventListener("detection", ({detail}) => console.log(detail.keyword));
//   await client.start();   // from a click: browsers want one before they hand out a microphone
//   await client.stop();
//
// Events, each with the service's message (docs/protocol.md) as `detail`: ready, detection,
// warning, summary; and of this client: lost {reason, retryInS}, failed {message, code}.

import { Backlog } from "./backlog.js";

const CONTEXT_S = 5; // heard again by a new connection, before what was acknowledged
const MARGIN_S = 0.3; // detections so far before it are asked for again
const KEEP_S = 60; // an outage so long loses nothing; of a longer one the last minute is kept
const WINDOW_S = 10; // unacknowledged sound that is on its way at most
const BUFFERED_BYTES = 256 * 1024; // what the browser may hold unsent
const FIRST_DELAY_S = 1;
const LONGEST_DELAY_S = 30;
// The service may succeed later (docs/protocol.md); other codes of 4000 and above are final.
const PASSING_CODES = new Set([4408, 4429, 4500]);
const OUR_FAULT_CODES = new Set([1002, 1003, 1007, 1008, 1009, 1010]);

export class WakewordClient extends EventTarget {
  #url; #asked; #rate; #context; #media; #backlog; #socket; #ready = null; #wasReady = false;
  #acked = 0; #grid = 1; #delayS = FIRST_DELAY_S; #retry; #stopping = null; #endSent = false;
  #ends = new Map(); #endsBefore = new Map(); // "model word" -> end of its last detection

  constructor(url, asked = {}) {
    super();
    this.#url = url;
    this.#asked = asked;
  }

  // Open the microphone and the connection; rejects where there is no microphone.
  async start() {
    this.#media = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
    this.#context = new AudioContext(); // its rate is the hardware's, and is what we declare
    this.#rate = this.#context.sampleRate;
    this.#backlog = new Backlog((CONTEXT_S + KEEP_S) * this.#rate);
    await this.#context.audioWorklet.addModule(new URL("audio-worklet.js", import.meta.url));
    const capture = new AudioWorkletNode(this.#context, "capture", {
      numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit",
    });
    capture.port.onmessage = ({ data }) => this.#hear(data);
    this.#context.createMediaStreamSource(this.#media).connect(capture);
    this.#connect();
  }

  // Close the microphone, let the service hear the rest, and resolve when it has.
  async stop() {
    this.#closeMicrophone();
    if (this.#socket === undefined && this.#retry === undefined) return;
    const summary = new Promise((resolve) => { this.#stopping = resolve; });
    this.#pump();
    const pumping = setInterval(() => this.#pump(), 50);
    await Promise.race([summary, new Promise((resolve) => setTimeout(resolve, 10_000))]);
    clearInterval(pumping);
    clearTimeout(this.#retry);
    this.#socket?.close(1000);
  }

  #closeMicrophone() {
    this.#media?.getTracks().forEach((track) => track.stop());
    if (this.#context?.state !== "closed") this.#context?.close();
  }

  #hear(chunk) {
    this.#backlog.append(chunk);
    this.#pump();
  }

  #connect() {
    this.#retry = undefined;
    const socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => socket.send(JSON.stringify(this.#startMessage()));
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = ({ code, reason }) => this.#lost(code, reason);
    this.#socket = socket;
    this.#error = null;
  }
  #error = null;

  #startMessage() {
    const backlog = this.#backlog;
    // A whole number of steps, so that a new connection scores at the same samples as the last.
    const keptFrom = Math.ceil(backlog.begin / this.#grid) * this.#grid;
    backlog.sent = Math.max(keptFrom, this.#keepFrom());
    this.#acked = Math.max(this.#acked, backlog.sent);
    this.#endsBefore = new Map(this.#ends);
    this.#endSent = false;
    return {
      ...this.#asked, type: "start", protocol: 1, sample_rate: this.#rate, encoding: "s16le",
      acks: true, first_sample: backlog.sent,
      detect_after_sample: Math.max(0, this.#acked - Math.round(MARGIN_S * this.#rate)),
    };
  }

  #keepFrom() {
    const wanted = this.#acked - CONTEXT_S * this.#rate;
    return Math.max(0, Math.floor(wanted / this.#grid) * this.#grid);
  }

  #pump() {
    const socket = this.#socket, backlog = this.#backlog;
    if (!this.#ready || socket.readyState !== WebSocket.OPEN) return;
    if (backlog.sent < backlog.begin) {
      socket.close(); // slower than the sound: what comes next is gone, begin a new stream
      return;
    }
    const until = Math.min(backlog.end, this.#acked + WINDOW_S * this.#rate);
    while (socket.bufferedAmount < BUFFERED_BYTES) {
      const samples = backlog.take(until);
      if (samples === null) break;
      socket.send(samples);
    }
    if (this.#stopping && backlog.sent === backlog.end && !this.#endSent) {
      this.#endSent = true;
      socket.send(JSON.stringify({ type: "end" }));
    }
  }

  #receive(message) {
    if (message.type === "ready") this.#setReady(message);
    else if (message.type === "ack") this.#setAcked(message.samples);
    else if (message.type === "error") this.#error = message;
    else if (message.type === "detection" && this.#isRepeated(message)) return;
    if (message.type === "summary" && this.#endSent) this.#stopping?.();
    this.#tell(message.type, message);
  }

  #setReady(message) {
    this.#ready = message;
    this.#wasReady = true;
    let steps = 1;
    while ((steps * message.step_ms * this.#rate) % 1000 && steps < 1000) steps += 1;
    this.#grid = Math.round((steps * message.step_ms * this.#rate) / 1000);
    this.#pump();
  }

  #setAcked(samples) {
    if (samples <= this.#acked) return;
    this.#acked = samples;
    this.#delayS = FIRST_DELAY_S;
    this.#backlog.dropBefore(Math.min(this.#keepFrom(), this.#backlog.sent));
    this.#pump();
  }

  // A word within the refractory period of what an earlier connection told is the same utterance.
  #isRepeated({ model, keyword, end_sample: end }) {
    const word = `${model} ${keyword}`, before = this.#endsBefore.get(word);
    const refractoryS = this.#ready.models.find(({ name }) => name === model)?.refractory_s ?? 1;
    if (before !== undefined && end < before + refractoryS * this.#rate) return true;
    this.#ends.set(word, end);
    return false;
  }

  #lost(code, reason) {
    this.#ready = null;
    this.#socket = undefined;
    if (this.#stopping && this.#endSent && code === 1000) return;
    const why = this.#error?.message || reason || "the connection broke";
    if (!this.#wasReady && code === 1006) this.#fail(`cannot reach ${this.#url}`, code);
    else if (OUR_FAULT_CODES.has(code)) this.#fail(why, code);
    else if (code >= 4000 && !(PASSING_CODES.has(code) && this.#wasReady)) this.#fail(why, code);
    else this.#tryAgain(why);
  }

  #tryAgain(reason) {
    // Jitter: a thousand pages must not come at once when a service restarts.
    const jittered = this.#delayS * (0.1 + 0.9 * Math.random());
    const retryInS = Math.max(jittered, Math.min(this.#error?.retry_after_s ?? 0, LONGEST_DELAY_S));
    this.#delayS = Math.min(2 * this.#delayS, LONGEST_DELAY_S);
    this.#retry = setTimeout(() => this.#connect(), 1000 * retryInS);
    this.#tell("lost", { reason, retryInS });
  }

  #fail(message, code) {
    this.#closeMicrophone();
    this.#stopping?.();
    this.#tell("failed", { message, code });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
