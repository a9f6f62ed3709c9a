/** One mapping of a source, read field by field with the types of MetalLB: every mistake has its place, and nothing is overlooked. */

import { type FieldPath, fieldOf, isRecord } from '../manifests/manifest.ts';
import type { Remarks } from './remarks.ts';

/** Something in a text: what it holds, and where each part of it stands. */
export interface Content {
  readonly value: unknown;
  /** The way to it in its text, for messages. */
  readonly path: FieldPath;
  /** `file:line` of a part, by the way from the text's beginning. */
  readonly placeOf: (path: FieldPath) => string;
}

const LARGEST_UINT32 = 4_294_967_295;

export class Fields {
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #content: Content;
  readonly #remarks: Remarks;
  readonly #read = new Set<string>();

  /** Reads nothing yet; what is no mapping is an error, and empty. */
  constructor(content: Content, remarks: Remarks) {
    this.#content = content;
    this.#remarks = remarks;
    this.#value = isRecord(content.value) ? content.value : {};
    if (!isRecord(content.value) && content.value !== null && content.value !== undefined)
      remarks.error(content.placeOf(content.path), `${fieldOf(content.path) || 'this'} must be a mapping`);
  }

  get place(): string {
    return this.#content.placeOf(this.#content.path);
  }

  placeOf(key: string): string {
    return this.#content.placeOf([...this.#content.path, key]);
  }

  has(key: string): boolean {
    return this.#take(key) !== undefined;
  }

  /** The text of a field; in Go an empty one is a missing one, and so it is here. */
  text(key: string): string | undefined {
    const value = this.#take(key);
    if (value === undefined || value === '') return undefined;
    return typeof value === 'string' ? value : this.#wrong(key, 'must be a text: put it in quotes');
  }

  requiredText(key: string): string | undefined {
    return this.text(key) ?? this.#missing(key);
  }

  boolean(key: string): boolean | undefined {
    const value = this.#take(key);
    if (value === undefined || typeof value === 'boolean') return value;
    return this.#wrong(key, 'must be true or false');
  }

  /** A whole number from 0 to `max`. */
  number(key: string, max = LARGEST_UINT32): number | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value;
    return this.#wrong(key, `must be a whole number from 0 to ${max}`);
  }

  requiredNumber(key: string): number | undefined {
    return this.number(key) ?? this.#missing(key);
  }

  texts(key: string): readonly string[] | undefined {
    const list = this.#list(key);
    if (list?.every((item) => typeof item === 'string')) return list as readonly string[];
    return list && this.#wrong(key, 'must be a list of texts');
  }

  /** The texts of a mapping by their names, for labels and aliases. */
  textByName(key: string): Readonly<Record<string, string>> | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    if (!isRecord(value)) return this.#wrong(key, 'must be a mapping');
    if (Object.values(value).every((item) => typeof item === 'string')) return value as Record<string, string>;
    return this.#wrong(key, 'must hold texts only: put them in quotes');
  }

  /** The mapping under a key; missing where there is none. */
  mapping(key: string): Fields | undefined {
    const value = this.#take(key);
    return value === undefined ? undefined : new Fields(this.content([key], value), this.#remarks);
  }

  /** The mappings of a list; none where there is no list. */
  mappings(key: string): readonly Fields[] {
    const list = this.#list(key) ?? [];
    return list.map((item, at) => new Fields(this.content([key, at], item), this.#remarks));
  }

  content(path: FieldPath, value: unknown): Content {
    return { ...this.#content, value, path: [...this.#content.path, ...path] };
  }

  error(key: string, message: string): undefined {
    this.#remarks.error(this.placeOf(key), `${this.#nameOf(key)} ${message}`);
    return undefined;
  }

  note(key: string, message: string): void {
    this.#remarks.note(this.placeOf(key), `${this.#nameOf(key)} ${message}`);
  }

  /** The fields that nobody has asked for. */
  unread(): readonly string[] {
    return Object.keys(this.#value).filter((key) => !this.#read.has(key));
  }

  #list(key: string): readonly unknown[] | undefined {
    const value = this.#take(key);
    return value === undefined || Array.isArray(value) ? value : this.#wrong(key, 'must be a list');
  }

  #take(key: string): unknown {
    this.#read.add(key);
    return this.#value[key] ?? undefined;
  }

  #missing(key: string): undefined {
    // What has the wrong type was reported as such.
    if ((this.#value[key] ?? '') === '') this.#remarks.error(this.place, `${this.#nameOf(key)} is missing`);
    return undefined;
  }

  #wrong(key: string, message: string): undefined {
    return this.error(key, message);
  }

  #nameOf(key: string): string {
    return fieldOf([...this.#content.path, key]);
  }
}
