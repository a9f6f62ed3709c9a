/** A row of the table of samples, and the object that is sent for a value of it. */
import type { KindDefinition } from '../definition.ts';

/** As a sample: the field is left out. */
export const ABSENT = Symbol('absent');

type Fields = Readonly<Record<string, unknown>>;

/** What one node of a schema takes and refuses. */
export interface FieldSamples {
  /** `[]` stands for an entry of a list, `{}` for a value of a map: `spec.nodeSelectors[].matchLabels{}`. */
  readonly path: string;
  readonly takes: readonly unknown[];
  readonly refuses: readonly unknown[];
  /** By path: what else must be different, so that only this field is at stake. */
  readonly beside: Fields;
}

/** All rows of one kind. */
export interface KindSamples {
  readonly kind: KindDefinition;
  /** A valid object but for its metadata, with an entry in each list whose entries have fields. */
  readonly base: Fields;
  readonly fields: readonly FieldSamples[];
}

type Values = readonly unknown[];

/** One row. */
export function field(path: string, takes: Values, refuses: Values, beside: Fields = {}): FieldSamples {
  return { path, takes, refuses, beside };
}

/** A text without rules, which only another type can violate. */
export const text = (path: string): FieldSamples => field(path, ['text', ''], [7]);
/** The same where it must not be missing. */
export const requiredText = (path: string): FieldSamples => field(path, ['text', ''], [7, ABSENT]);
export const yesOrNo = (path: string): FieldSamples => field(path, [true, false, ABSENT], ['true', 1]);
export const time = (path: string): FieldSamples => field(path, ['2026-01-01T12:00:00Z', ABSENT], ['yesterday', 7]);
/** A list of texts without rules, and its entries. */
export const texts = (path: string): FieldSamples[] => [
  field(path, [['text'], []], ['text']),
  field(`${path}[]`, ['text'], [7]),
];

const SEGMENT = /[^.[\]{}]+|\[\]|\{\}/g;
const KEY = 'a';

/** Where the API server says a value of `path` is: `spec.nodeSelectors[0].matchLabels.a`. */
export function placeOf(path: string): string {
  return path.replaceAll('[]', '[0]').replaceAll('{}', `.${KEY}`);
}

/** The fields of `base` with `value` at `path`; what is missing on the way there is made. */
export function withValue(base: Fields, path: string, value: unknown): Record<string, unknown> {
  const keys = (path.match(SEGMENT) ?? []).map((key) => ({ '[]': 0, '{}': KEY })[key] ?? key);
  const root = structuredClone(base) as Record<string, unknown>;
  let node = root as Record<string | number, unknown>;
  keys.slice(0, -1).forEach((key, at) => {
    node[key] ??= keys[at + 1] === 0 ? [] : {};
    node = node[key] as Record<string | number, unknown>;
  });
  const last = keys.at(-1) ?? '';
  if (value === ABSENT) delete node[last];
  else node[last] = value;
  return root;
}

/** The fields of an object that holds one sample. */
export function sampleObject({ base }: KindSamples, { path, beside }: FieldSamples, value: unknown) {
  const around = Object.entries(beside).reduce<Fields>((object, [at, other]) => withValue(object, at, other), base);
  return withValue(around, path, value);
}
