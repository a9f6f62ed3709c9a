/** What a kind is, and the CustomResourceDefinition that says so to the API server. */
import type * as z from 'zod';
import { type OpenApiSchema, structuralSchema } from './structural.ts';

/** A column of `kubectl get`; priority 1 shows only with `-o wide`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  readonly priority?: number;
}

/** One kind: its names, its schema, how it is listed. */
export interface KindDefinition {
  readonly group: 'metallb.io' | 'heraldlb.io';
  readonly version: string;
  /** Versions that MetalLB stored objects in: listed, because the API server refuses to forget them, and not served. */
  readonly retiredVersions?: readonly string[];
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly categories: readonly string[];
  readonly columns: readonly PrinterColumn[];
  readonly description: string;
  /** The object beside apiVersion, kind and metadata: spec and status, or fields of its own. */
  readonly schema: z.ZodObject;
  readonly subresources: readonly 'status'[];
}

/** `kubectl get herald -A` lists the kinds of this category. */
export const CATEGORY = 'herald';

const ready = (what: string) => `.status.conditions[?(@.type=="Ready")].${what}`;

/** The columns that every kind with conditions begins with. */
export const readyColumns: readonly PrinterColumn[] = [
  { name: 'Ready', type: 'string', jsonPath: ready('status'), description: 'Whether the object is in force.' },
  { name: 'Reason', type: 'string', jsonPath: ready('reason'), description: 'One word that says why.' },
];

/** The column that every kind ends with. */
export const ageColumn: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'How long ago the object was created.',
};

export interface CustomResourceDefinition {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** The name of the CustomResourceDefinition of a kind. */
export function definitionName(kind: Pick<KindDefinition, 'plural' | 'group'>): string {
  return `${kind.plural}.${kind.group}`;
}

/** The CustomResourceDefinition of a kind, as `kubectl apply` takes it. */
export function customResourceDefinition(kind: KindDefinition): CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: definitionName(kind), labels: { 'app.kubernetes.io/part-of': 'herald' } },
    spec: {
      group: kind.group,
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.singular,
        ...(kind.categories.length > 0 ? { categories: kind.categories } : {}),
      },
      scope: 'Namespaced',
      // Said aloud, because an apply would otherwise leave the webhook of a former owner in place.
      conversion: { strategy: 'None' },
      versions: [...(kind.retiredVersions ?? []), kind.version].map((name) => versionOf(kind, name)),
    },
  };
}

/**
 * A retired version has the whole schema too: without conversion an object that was stored in it is read as it stands,
 * and the defaults it gets are those of the version it was stored in.
 */
function versionOf(kind: KindDefinition, name: string) {
  const isCurrent = name === kind.version;
  return {
    name,
    served: isCurrent,
    storage: isCurrent,
    ...(kind.subresources.includes('status') ? { subresources: { status: {} } } : {}),
    ...(isCurrent ? { additionalPrinterColumns: kind.columns } : {}),
    schema: { openAPIV3Schema: rootSchema(kind) },
  };
}

function rootSchema(kind: KindDefinition): OpenApiSchema {
  const own = structuralSchema(kind.schema);
  return {
    description: kind.description,
    ...own,
    properties: {
      apiVersion: { type: 'string', description: 'The version of the schema that the object follows.' },
      kind: { type: 'string', description: 'The kind of the object.' },
      metadata: { type: 'object' },
      ...own.properties,
    },
  };
}
