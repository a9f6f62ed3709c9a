/** The parts of metadata that Kubernetes gives to every object, as far as Herald reads them. */
import * as z from 'zod';
import { kubernetes } from './structural.ts';

/** `metav1.ObjectMeta`, read-only: nobody changes an object that came from a store. */
export interface ObjectMeta {
  readonly name: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  /** RFC 3339, whole seconds. */
  readonly creationTimestamp?: string;
  /** Set while the object waits for its finalizers. */
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: readonly ManagedFieldsEntry[];
}

/** `metav1.OwnerReference`: with the owner gone, the garbage collector deletes the object. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** `metav1.ManagedFieldsEntry`: who wrote which fields, and how. */
export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: 'Apply' | 'Update';
  readonly apiVersion?: string;
  readonly time?: string;
  readonly fieldsType?: string;
  readonly fieldsV1?: unknown;
  /** `status` when it was written through the status subresource. */
  readonly subresource?: string;
}

const labelSelectorRequirement = z
  .object({
    key: z.string().describe('The label that the requirement looks at.'),
    operator: z.string().describe('In, NotIn, Exists or DoesNotExist.'),
    values: z
      .array(z.string().describe('A value of the label.'))
      .optional()
      .describe('The values for In and NotIn; must be empty for Exists and DoesNotExist.')
      .register(kubernetes, { list: { type: 'atomic' } }),
  })
  .describe('What must hold of one label.');

/** `metav1.LabelSelector`: matchLabels and matchExpressions must all hold; an empty selector matches everything. */
export const labelSelector = z
  .object({
    matchLabels: z
      .record(z.string(), z.string().describe('The value that the label must have.'))
      .optional()
      .describe('Labels that must all be there with these values.'),
    matchExpressions: z
      .array(labelSelectorRequirement)
      .optional()
      .describe('Requirements that must all hold.')
      .register(kubernetes, { list: { type: 'atomic' } }),
  })
  .describe('What matchLabels and matchExpressions select together; an empty selector selects everything.')
  .register(kubernetes, { map: 'atomic' });
export type LabelSelector = z.infer<typeof labelSelector>;

/** A custom resource without spec: what we say of something, and nobody asks for. */
export interface StatusObject<Kind extends string, Status> {
  readonly apiVersion: string;
  readonly kind: Kind;
  readonly metadata: ObjectMeta;
  readonly status?: Status;
}

/** A custom resource as the API server serves it. */
export interface CustomObject<Kind extends string, Spec, Status> extends StatusObject<Kind, Status> {
  readonly spec: Spec;
}
