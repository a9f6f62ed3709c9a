/** What an informer knows: objects by key, and by the values of its indexes. */

/** The store as everybody but its informer sees it. Objects in it are never changed, only replaced. */
export interface ReadonlyStore<T> {
  get(key: string): T | undefined;
  list(): readonly T[];
  /** The objects for which the index yields `value`. */
  by(index: string, value: string): readonly T[];
  readonly size: number;
}

/** The values under which an index files an object. */
export type IndexFunction<T> = (object: T) => readonly string[];

/** Nothing, always the same array. */
const NONE: readonly never[] = [];

export class Store<T> implements ReadonlyStore<T> {
  readonly #objects = new Map<string, T>();
  readonly #indexes: ReadonlyMap<string, Index<T>>;
  /** The answer of `list`, until the next change. */
  #listed: readonly T[] | undefined;

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
    this.#indexes = new Map(Object.entries(indexes).map(([name, valuesOf]) => [name, new Index(valuesOf)]));
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): readonly T[] {
    this.#listed ??= [...this.#objects.values()];
    return this.#listed;
  }

  by(index: string, value: string): readonly T[] {
    const found = this.#indexes.get(index);
    if (!found) throw new Error(`the store has no index ${index}`);
    return found.get(value);
  }

  keys(): readonly string[] {
    return [...this.#objects.keys()];
  }

  /** Puts `object` in place of the one under `key`, or removes that one; returns what was there. */
  put(key: string, object: T | undefined): T | undefined {
    const before = this.#objects.get(key);
    for (const index of this.#indexes.values()) {
      if (before !== undefined) index.remove(key, before);
      if (object !== undefined) index.add(key, object);
    }
    if (object === undefined) this.#objects.delete(key);
    else this.#objects.set(key, object);
    this.#listed = undefined;
    return before;
  }
}

class Index<T> {
  readonly #valuesOf: IndexFunction<T>;
  readonly #filed = new Map<string, Map<string, T>>();

  constructor(valuesOf: IndexFunction<T>) {
    this.#valuesOf = valuesOf;
  }

  get(value: string): readonly T[] {
    const filed = this.#filed.get(value);
    return filed ? [...filed.values()] : NONE;
  }

  add(key: string, object: T): void {
    for (const value of this.#valuesOf(object)) {
      const filed = this.#filed.get(value);
      if (filed) filed.set(key, object);
      else this.#filed.set(value, new Map([[key, object]]));
    }
  }

  remove(key: string, object: T): void {
    for (const value of this.#valuesOf(object)) {
      const filed = this.#filed.get(value);
      filed?.delete(key);
      if (filed?.size === 0) this.#filed.delete(value);
    }
  }
}
