/** What every kind that users write has in common: its category, its columns, and a status that is there from birth. */
import * as z from 'zod';
import type { Condition } from './condition.ts';
import { ageColumn, CATEGORY, type KindDefinition, type PrinterColumn, readyColumns } from './definition.ts';
import { reasons } from './reasons.ts';

/**
 * The status of an object that nobody has looked at yet: in progress from birth, because kstatus calls an object
 * without conditions finished. The first status that the operator applies replaces it.
 */
const statusAtBirth: { conditions: Condition[] } = {
  conditions: (['Ready', 'Reconciling'] as const).map((type) => ({
    type,
    status: type === 'Ready' ? 'Unknown' : 'True',
    lastTransitionTime: '1970-01-01T00:00:00Z',
    reason: 'Pending',
    message: reasons.Ready.Pending,
  })),
};

type Names = Pick<KindDefinition, 'kind' | 'plural' | 'singular' | 'version' | 'description'>;

interface WrittenKind extends Names {
  /** metallb.io when missing. */
  readonly group?: KindDefinition['group'];
  readonly retiredVersions?: readonly string[];
  /** Between Reason and Age. */
  readonly columns?: readonly PrinterColumn[];
  /** MetalLB's own columns, which `-o wide` shows. */
  readonly wideColumns?: readonly PrinterColumn[];
  /** Described, and optional where the kind makes sense without it. */
  readonly spec: z.ZodType;
  readonly status: z.ZodObject;
}

/** A kind that users write and the operator judges. */
export function writtenKind({ columns = [], wideColumns = [], spec, status, ...names }: WrittenKind): KindDefinition {
  return {
    group: 'metallb.io',
    ...names,
    categories: [CATEGORY],
    columns: [...readyColumns, ...columns, ageColumn, ...wideColumns],
    schema: z.object({
      spec,
      status: status.default(statusAtBirth).describe('What the operator says of it.'),
    }),
    subresources: ['status'],
  };
}

/** A column of `-o wide` that shows a field of the spec. */
export function wideColumn(name: string, type: PrinterColumn['type'], field: string): PrinterColumn {
  return { name, type, jsonPath: `.spec.${field}`, description: `spec.${field}`, priority: 1 };
}
