/** A list that stays sorted: finding is logarithmic, and moving the rest of an array is one memory move. */

export class SortedList<T> {
  readonly #compare: (a: T, b: T) => number;
  readonly #items: T[] = [];

  /** @param compare 0 only for the same item */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get first(): T | undefined {
    return this.#items[0];
  }
  get items(): readonly T[] {
    return this.#items;
  }

  /** Adds an item that is not there yet; one that is there stays as it is. */
  add(item: T): void {
    const at = this.#placeOf(item);
    if (!this.#isAt(at, item)) this.#items.splice(at, 0, item);
  }

  /** Whether the item was there. */
  remove(item: T): boolean {
    const at = this.#placeOf(item);
    const isThere = this.#isAt(at, item);
    if (isThere) this.#items.splice(at, 1);
    return isThere;
  }

  /** The first item after `item`, which need not be there; without `item` the first of all. */
  after(item: T | undefined): T | undefined {
    if (item === undefined) return this.#items[0];
    const at = this.#placeOf(item);
    return this.#items[this.#isAt(at, item) ? at + 1 : at];
  }

  /** The items from `item` on, which need not be there. The list must not change meanwhile. */
  *from(item: T): Generator<T> {
    for (let at = this.#placeOf(item); at < this.#items.length; at++) yield this.#items[at] as T;
  }

  #isAt(at: number, item: T): boolean {
    const found = this.#items[at];
    return found !== undefined && this.#compare(found, item) === 0;
  }

  #placeOf(item: T): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const found = this.#items[middle];
      if (found !== undefined && this.#compare(found, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
