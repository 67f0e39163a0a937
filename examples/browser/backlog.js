// Sound that may have to be sent again, in bounded memory. Positions count samples.

export class Backlog {
  constructor(capacitySamples) {
    this.capacity = capacitySamples;
    this.chunks = []; // Int16Array, one behind the other
    this.begin = 0; // position of the oldest sample
    this.sent = 0; // position of the next sample to send
    this.end = 0; // position behind the newest sample
  }

  append(chunk) {
    this.chunks.push(chunk);
    this.end += chunk.length;
    while (this.end - this.begin > this.capacity) this.dropChunk();
  }

  // The next samples to send, before position `until`; null where there are none.
  take(until) {
    let at = this.begin;
    for (const chunk of this.chunks) {
      if (this.sent < at + chunk.length) {
        const part = chunk.subarray(this.sent - at, Math.max(this.sent, until) - at);
        this.sent += part.length;
        return part.length ? part : null;
      }
      at += chunk.length;
    }
    return null;
  }

  dropBefore(sample) {
    while (this.chunks.length && this.begin + this.chunks[0].length <= sample) this.dropChunk();
  }

  dropChunk() {
    this.begin += this.chunks.shift().length;
  }
}
