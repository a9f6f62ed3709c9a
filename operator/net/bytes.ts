/** Reads network-order octets without ever leaving their bounds. */

/** A cursor over network-order octets. Every read is bounds-checked; `onShort` decides what a short read means. */
export class ByteReader {
  readonly #view: DataView;
  readonly #onShort: () => never;
  #offset = 0;

  constructor(bytes: Uint8Array, onShort: () => never) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#onShort = onShort;
  }

  get remaining(): number {
    return this.#view.byteLength - this.#offset;
  }
  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }
  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }
  bytes(length: number): Uint8Array {
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + this.#take(length), length);
  }

  #take(length: number): number {
    if (length > this.remaining) this.#onShort();
    const at = this.#offset;
    this.#offset += length;
    return at;
  }
}
