/** Turns a zod schema into the structural OpenAPI v3 schema that `apiextensions.k8s.io/v1` accepts. */
import * as z from 'zod';

/** A CEL rule; `message` is a sentence for the person whose object is refused. */
export interface ValidationRule {
  readonly rule: string;
  readonly message: string;
  /** CEL that gives the sentence with the value in it; `message` stands in where it fails. */
  readonly messageExpression?: string;
}

/** What Kubernetes adds to OpenAPI. It is attached to a zod schema and never read by zod itself. */
export interface KubernetesExtensions {
  readonly rules?: readonly ValidationRule[];
  readonly list?: { readonly type: 'map'; readonly keys: readonly string[] } | { readonly type: 'set' | 'atomic' };
  readonly map?: 'atomic' | 'granular';
  readonly format?: 'int32' | 'int64' | 'date-time';
  /** The value may be a number or a string, as `intstr.IntOrString`. */
  readonly intOrString?: true;
}
export const kubernetes = z.registry<KubernetesExtensions>();

/** A whole number of 64 bits in the schema; in TypeScript a number, exact up to 2^53. */
export const int64 = () => z.number().register(kubernetes, { format: 'int64' });

/** A whole number of 32 bits. */
export const int32 = () => z.number().register(kubernetes, { format: 'int32' });

/** A number or a string, as `intstr.IntOrString`. */
export const intOrString = () => z.union([z.number(), z.string()]).register(kubernetes, { intOrString: true });

/** One node of a structural schema. */
export interface OpenApiSchema {
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly items?: OpenApiSchema;
  readonly properties?: Readonly<Record<string, OpenApiSchema>>;
  readonly additionalProperties?: OpenApiSchema;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly [extension: `x-kubernetes-${string}`]: unknown;
}

type Node = Record<string, unknown>;

/** Every key that a structural schema may carry; whatever else zod writes is refused or rewritten below. */
const STRUCTURAL_KEYS = new Set(
  `type format description default nullable enum items properties additionalProperties required minimum maximum
   minLength maxLength minItems maxItems pattern`.split(/\s+/),
);

/**
 * The structural OpenAPI v3 schema of `schema`, as `apiextensions.k8s.io/v1` accepts it.
 *
 * @throws {Error} naming the path, when zod says what a structural schema cannot: the build fails, not the cluster
 */
export function structuralSchema(schema: z.ZodType): OpenApiSchema {
  const openApi = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input', // 'output' would make every defaulted field required, and forbid unknown ones
    unrepresentable: 'throw',
    reused: 'inline',
    cycles: 'throw',
    override: ({ zodSchema, jsonSchema }) => rewrite(jsonSchema as Node, kubernetes.get(zodSchema) ?? {}),
  }) as OpenApiSchema;
  refuseNonStructural(openApi as Node, '$');
  return openApi;
}

function rewrite(node: Node, extensions: KubernetesExtensions): void {
  delete node['$schema'];
  delete node['propertyNames']; // keys of JSON objects are strings anyway
  if (extensions.intOrString) {
    delete node['anyOf']; // the API server knows both types by the extension, and allows none beside it
    delete node['type'];
  }
  if (extensions.format?.startsWith('int')) node['type'] = 'integer';
  if (extensions.format) node['format'] = extensions.format;
  Object.assign(node, extensionKeys(extensions));
}

/** https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema */
const REFUSALS: readonly (readonly [isWrong: (node: Node) => boolean, why: string])[] = [
  [(node) => '$ref' in node, 'a structural schema has no $ref: inline it'],
  [(node) => node['additionalProperties'] === false, 'use z.object: the API server prunes unknown fields by itself'],
  [(node) => 'anyOf' in node || 'oneOf' in node, 'a union needs one type: use a string and a CEL rule'],
  [(node) => 'allOf' in node, 'one schema cannot be several at once: say it in one'],
  [(node) => 'properties' in node && 'additionalProperties' in node, 'either named properties or a map, not both'],
  [(node) => !('type' in node) && !node['x-kubernetes-int-or-string'], 'every node needs a type'],
  [(node) => Array.isArray(node['enum']) && node['enum'].includes(null), 'use nullable: null alone is no type'],
];

function refuseNonStructural(node: Node, path: string): void {
  for (const [isWrong, why] of REFUSALS) if (isWrong(node)) throw new Error(`${path}: ${why}`);
  const unknown = Object.keys(node).find((key) => !STRUCTURAL_KEYS.has(key) && !key.startsWith('x-kubernetes-'));
  if (unknown !== undefined) throw new Error(`${path}: a structural schema has no ${unknown}`);
  for (const [name, child] of childrenOf(node)) refuseNonStructural(child, `${path}${name}`);
}

function* childrenOf(node: Node): Generator<readonly [string, Node]> {
  for (const [name, child] of Object.entries((node['properties'] ?? {}) as Record<string, Node>)) {
    yield [`.${name}`, child];
  }
  if (node['items']) yield ['[]', node['items'] as Node];
  if (node['additionalProperties']) yield ['{}', node['additionalProperties'] as Node];
}

function extensionKeys(extensions: KubernetesExtensions): Node {
  const keys: Node = {};
  if (extensions.rules) keys['x-kubernetes-validations'] = extensions.rules;
  if (extensions.list) keys['x-kubernetes-list-type'] = extensions.list.type;
  if (extensions.list?.type === 'map') keys['x-kubernetes-list-map-keys'] = extensions.list.keys;
  if (extensions.map) keys['x-kubernetes-map-type'] = extensions.map;
  if (extensions.intOrString) keys['x-kubernetes-int-or-string'] = true;
  return keys;
}
