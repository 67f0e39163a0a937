// Runs on the browser's audio thread: 128 float samples at a time become chunks of 16 bits.

const CHUNK_SAMPLES = 2048;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.chunk = new Int16Array(CHUNK_SAMPLES);
    this.filled = 0;
  }

  process([input]) {
    const samples = input[0]; // one channel: the page asked for one
    if (!samples) return true; // nothing is connected yet
    for (const sample of samples) {
      const scaled = Math.round(sample * 32768);
      this.chunk[this.filled++] = Math.max(-32768, Math.min(32767, scaled));
      if (this.filled === CHUNK_SAMPLES) this.flush();
    }
    return true;
  }

  flush() {
    this.port.postMessage(this.chunk, [this.chunk.buffer]);
    this.chunk = new Int16Array(CHUNK_SAMPLES);
    this.filled = 0;
  }
}

registerProcessor("capture", Capture);
