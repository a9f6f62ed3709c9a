/** Checks a manifest as the API server would, and returns the object that the API server would store: pruned, with defaults. */

import type * as z from 'zod';
import type { KindDefinition } from '../../../crds/definition.ts';
import { type OpenApiSchema, structuralSchema } from '../../../crds/structural.ts';
import { nearest } from '../../settings/nearest.ts';
import { type FieldPath, fieldOf, isRecord, type Manifest, type ManifestProblem, nameOf } from './manifest.ts';
import { brokenRules } from './rules.ts';

/** What the API server would store of a manifest, or why it would refuse it. */
export interface CheckedObject {
  /** Absent when there is an error. */
  readonly content?: Readonly<Record<string, unknown>>;
  readonly problems: readonly ManifestProblem[];
}

interface Finding {
  readonly path: FieldPath;
  readonly message: string;
}

const schemas = new Map<KindDefinition, OpenApiSchema>();
function schemaOf(kind: KindDefinition): OpenApiSchema {
  const known = schemas.get(kind) ?? structuralSchema(kind.schema);
  schemas.set(kind, known);
  return known;
}

/** Fields at the root that every object has beside those of its kind. */
const ROOT_FIELDS = ['apiVersion', 'kind', 'metadata'];
/** RFC 1123 subdomain, as the names of our kinds have to be. */
const OBJECT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const MAX_NAME = 253;

/** @param before the object of that name as it is now, for rules about changes */
export function checkObject(
  manifest: Manifest,
  kind: KindDefinition,
  before?: Readonly<Record<string, unknown>>,
): CheckedObject {
  const schema = schemaOf(kind);
  const { status: _ignored, ...written } = manifest.content;
  const known = withoutNulls(schema, written) as Record<string, unknown>;
  const parsed = kind.schema.omit({ status: true }).safeParse(known, { reportInput: true });
  const found = [
    ...metadataFindings(manifest),
    ...unknownFields(schema, written),
    ...fractions(schema, written),
    ...(parsed.success ? [] : parsed.error.issues.flatMap(findingsOf)),
    ...(parsed.success ? brokenRules(schema, parsed.data, before) : []),
  ];
  const problems = found.map(({ path, message }) => problemAt(manifest, path, message));
  if (problems.length > 0 || !parsed.success) return { problems };
  const { apiVersion, kind: kindName, metadata } = manifest.content;
  return { content: { apiVersion, kind: kindName, metadata, ...parsed.data }, problems };
}

export function problemAt(
  manifest: Manifest,
  path: FieldPath,
  message: string,
  severity: ManifestProblem['severity'] = 'Error',
): ManifestProblem {
  const field = fieldOf(path);
  return { ...manifest.placeOf(path), severity, object: nameOf(manifest), ...(field && { field }), message };
}

function metadataFindings({ name, content }: Manifest): readonly Finding[] {
  const { metadata } = content;
  if (!isRecord(metadata)) return [{ path: ['metadata'], message: 'is missing' }];
  const findings = ['labels', 'annotations'].flatMap((field) => textMapFindings(field, metadata[field]));
  if (name === '') return [{ path: ['metadata', 'name'], message: noName(metadata['name']) }, ...findings];
  if (OBJECT_NAME.test(name) && name.length <= MAX_NAME) return findings;
  const message = 'must be lower-case letters, digits, hyphens and dots, and begin and end with a letter or a digit';
  return [{ path: ['metadata', 'name'], message }, ...findings];
}

/** YAML 1.1 takes `y` and `on` for booleans, and digits for numbers. */
const noName = (written: unknown): string =>
  written === undefined || written === null || written === ''
    ? 'is missing'
    : `must be a text, and is ${wordOf(written)}: quote it`;

function textMapFindings(field: string, values: unknown): readonly Finding[] {
  if (values === undefined || values === null) return [];
  if (!isRecord(values)) return [{ path: ['metadata', field], message: 'must be a map' }];
  return Object.entries(values)
    .filter(([, value]) => typeof value !== 'string')
    .map(([key, value]) => ({
      path: ['metadata', field, key],
      message: `must be a text, and is ${wordOf(value)}: quote it`,
    }));
}

/** Fields that the schema does not have: kubectl refuses them, other clients have them dropped in silence. */
function unknownFields(schema: OpenApiSchema, value: unknown, path: FieldPath = []): readonly Finding[] {
  if (Array.isArray(value)) return value.flatMap((item, at) => unknownFields(schema.items ?? {}, item, [...path, at]));
  if (!isRecord(value) || (!schema.properties && !schema.additionalProperties)) return [];
  const { properties, additionalProperties } = schema;
  const known = [...Object.keys(properties ?? {}), ...(path.length === 0 ? ROOT_FIELDS : [])];
  return Object.entries(value).flatMap(([key, inner]) => {
    const child = properties?.[key] ?? additionalProperties;
    if (child) return unknownFields(child, inner, [...path, key]);
    if (known.includes(key)) return [];
    const meant = nearest(key, known);
    return [{ path: [...path, key], message: `is no field${meant ? `: did you mean ${meant}?` : ''}` }];
  });
}

/** zod's numbers may have fractions, an integer of the API server may not. */
function fractions(schema: OpenApiSchema, value: unknown, path: FieldPath = []): readonly Finding[] {
  if (Array.isArray(value)) return value.flatMap((item, at) => fractions(schema.items ?? {}, item, [...path, at]));
  if (isRecord(value))
    return Object.entries(value).flatMap(([key, inner]) =>
      fractions(schema.properties?.[key] ?? schema.additionalProperties ?? {}, inner, [...path, key]),
    );
  const isFraction = schema.type === 'integer' && typeof value === 'number' && !Number.isInteger(value);
  return isFraction ? [{ path, message: `must be a whole number, and is ${value}` }] : [];
}

/** The API server takes a null for a field that has a default as no value at all, and so does a map without entries. */
function withoutNulls(schema: OpenApiSchema, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutNulls(schema.items ?? {}, item));
  if (!isRecord(value)) return value;
  const { properties, additionalProperties } = schema;
  const childOf = (key: string): OpenApiSchema | undefined => properties?.[key] ?? additionalProperties;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => inner !== null || childOf(key)?.default === undefined)
      .map(([key, inner]) => [key, withoutNulls(childOf(key) ?? {}, inner)]),
  );
}

function findingsOf(issue: z.core.$ZodIssue): readonly Finding[] {
  return [{ path: issue.path.filter((step) => typeof step !== 'symbol'), message: sentenceOf(issue) }];
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function sentenceOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return 'is missing';
    return `must be ${EXPECTED[issue.expected] ?? issue.expected}, and is ${wordOf(issue.input)}`;
  }
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'too_small') return `must ${boundOf(issue.origin, 'at least', String(issue.minimum))}`;
  if (issue.code === 'too_big') return `must ${boundOf(issue.origin, 'at most', String(issue.maximum))}`;
  return issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
}

const boundOf = (origin: string, bound: string, limit: string): string =>
  origin === 'array' || origin === 'set' || origin === 'map'
    ? `have ${bound} ${limit} entries`
    : origin === 'string'
      ? `have ${bound} ${limit} characters`
      : `be ${bound} ${limit}`;

function wordOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return `the text "${value}"`;
  return typeof value === 'object' ? 'a map' : `${typeof value} ${String(value)}`;
}
