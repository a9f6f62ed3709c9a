/** Applies the CEL rules of our definitions as the API server does (x-kubernetes-validations), without an API server. */

import { Environment } from '@marcbachmann/cel-js';
import type { OpenApiSchema, ValidationRule } from '../../../crds/structural.ts';
import { type IpAddress, parseIp } from '../../net/address.ts';
import type { FieldPath } from './manifest.ts';
import { isRecord } from './manifest.ts';

/** A rule that does not hold: the field and the sentence of the rule. */
export interface BrokenRule {
  readonly path: FieldPath;
  readonly message: string;
}

type Check = (context: { self: unknown; oldSelf?: unknown }) => unknown;

/** The type that `ip()` of Kubernetes' CEL library returns. */
class CelIp {
  readonly address: IpAddress;

  constructor(address: IpAddress) {
    this.address = address;
  }
}

/** Kubernetes' `isIP` and `ip` take no address that is IPv4 written as IPv6. */
const ipOf = (text: string): IpAddress | undefined => (/^[0:]*:ffff:/i.test(text) ? undefined : parseIp(text));

const environment = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false })
  .registerType('net.IP', { ctor: CelIp, fields: {} })
  .registerFunction('isIP(string): bool', (text: string) => ipOf(text) !== undefined)
  .registerFunction('ip(string): net.IP', (text: string) => {
    const address = ipOf(text);
    if (!address) throw new Error(`${text} is not an IP address`);
    return new CelIp(address);
  })
  .registerFunction('net.IP.family(): int', ({ address }: CelIp) => BigInt(address.family))
  .registerFunction('string.matchesRe2(string): bool', (text: string, pattern: string) => re2(pattern).test(text));

/** RE2 takes `(?i)` inside of a pattern for what follows; the rules have it at the start, where it is a flag. */
const re2 = (pattern: string): RegExp => new RegExp(pattern.replace('(?i)', ''), pattern.includes('(?i)') ? 'i' : '');

const compiled = new Map<string, Check>();
function compile(expression: string): Check {
  const known = compiled.get(expression);
  if (known) return known;
  const check = environment.parse(expression.replaceAll('.matches(', '.matchesRe2(')) as Check;
  compiled.set(expression, check);
  return check;
}

/**
 * Every rule of `schema` that `value` breaks.
 *
 * @param before the object as it is now, for rules about changes; without it these are left out, as at a creation
 */
export function brokenRules(
  schema: OpenApiSchema,
  value: unknown,
  before: unknown,
  path: FieldPath = [],
): readonly BrokenRule[] {
  if (value === undefined || value === null) return [];
  const rules = (schema['x-kubernetes-validations'] ?? []) as readonly ValidationRule[];
  const own = rules
    .filter((rule) => before !== undefined || !rule.rule.includes('oldSelf'))
    .flatMap((rule) => brokenRule(rule, schema, { value, before, path }));
  return [...own, ...childrenOf(schema, value, before).flatMap((child) => brokenRules(...child.at(path)))];
}

interface Subject {
  readonly value: unknown;
  readonly before: unknown;
  readonly path: FieldPath;
}

function brokenRule(rule: ValidationRule, schema: OpenApiSchema, { value, before, path }: Subject): BrokenRule[] {
  const context = {
    self: celOf(schema, value),
    ...(before !== undefined && { oldSelf: celOf(schema, before) }),
  };
  try {
    if (compile(rule.rule)(context) === true) return [];
  } catch {
    // A rule that cannot be computed is broken, as the API server has it.
  }
  return [{ path, message: sentenceOf(rule, context) }];
}

function sentenceOf({ message, messageExpression }: ValidationRule, context: Parameters<Check>[0]): string {
  if (messageExpression === undefined) return message;
  try {
    const sentence = compile(messageExpression)(context);
    return typeof sentence === 'string' && sentence !== '' ? sentence : message;
  } catch {
    return message;
  }
}

/** Whole numbers of a schema are `int` in CEL, which is a bigint here. */
function celOf(schema: OpenApiSchema, value: unknown): unknown {
  if (typeof value === 'number') return schema.type === 'integer' && Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((item) => celOf(schema.items ?? {}, item));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, celOf(memberOf(schema, key), inner)]));
}

const memberOf = ({ properties, additionalProperties }: OpenApiSchema, key: string): OpenApiSchema =>
  properties?.[key] ?? additionalProperties ?? {};

interface Child {
  at(path: FieldPath): [OpenApiSchema, unknown, unknown, FieldPath];
}

function childrenOf(schema: OpenApiSchema, value: unknown, before: unknown): readonly Child[] {
  const child = (key: string | number, inner: OpenApiSchema, now: unknown, then: unknown): Child => ({
    at: (path) => [inner, now, then, [...path, key]],
  });
  // Items of a list without keys have no former self.
  if (Array.isArray(value)) return value.map((item, at) => child(at, schema.items ?? {}, item, undefined));
  if (!isRecord(value)) return [];
  const former = isRecord(before) ? before : {};
  return Object.entries(value).map(([key, inner]) => child(key, memberOf(schema, key), inner, former[key]));
}
