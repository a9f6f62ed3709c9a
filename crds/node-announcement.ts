/** NodeAnnouncement (heraldlb.io/v1alpha1): what one node announces, as digests, so that reports cost as much as there are nodes. */
import * as z from 'zod';
import { ageColumn, CATEGORY, type KindDefinition } from './definition.ts';
import type { ObjectMeta } from './object-meta.ts';
import { int32, int64, kubernetes } from './structural.ts';

/** Services are spread over so many buckets by a hash of their key. */
export const REPORT_BUCKETS = 256;
/** So many exceptions are named; `exceptionCount` counts all of them. */
export const MAX_EXCEPTIONS = 200;

/** The Lease beside the report, in the same namespace: a report counts while it is renewed. */
export const nodeLeaseName = (node: string): string => `speaker-${node}`;

/** On reports and their Leases, so that others' Leases need not be watched. */
export const SPEAKER_LABELS = {
  'app.kubernetes.io/part-of': 'herald',
  'app.kubernetes.io/component': 'speaker',
} as const;

const atomic = { list: { type: 'atomic' } } as const;

const bucket = z
  .object({
    bucket: int32().min(0).max(255).describe('The first octet of the sha256 of `namespace/name`.'),
    digest: z.string().describe('16 hex digits: exclusive or over what the node announces of these Services.'),
    count: int32().min(0).describe('How many addresses that are.'),
    resourceVersion: z.string().describe('The highest resourceVersion of these Services that the node has seen.'),
  })
  .describe('What the node announces of the Services of one bucket.');
export type ReportBucket = z.infer<typeof bucket>;

const networkInterface = z
  .object({
    name: z.string().describe('The name of the interface.'),
    carrier: z.boolean().describe('Whether the link is up.'),
    subnets: z
      .array(z.string().describe('An address with its prefix length.'))
      .describe('Its addresses with their prefix lengths.')
      .register(kubernetes, atomic),
  })
  .describe('One interface.');
export type ReportInterface = z.infer<typeof networkInterface>;

const inputs = z.object({
  algorithmVersion: int32().describe('The version of the shared decisions that this node computes by now.'),
  alive: z
    .array(z.string().describe('The name of a node.'))
    .describe('The nodes that may own addresses as this node sees it, itself included.')
    .register(kubernetes, atomic),
  interfaces: z
    .array(networkInterface)
    .describe('The interfaces that this node may announce on.')
    .register(kubernetes, atomic),
  keeps: z
    .array(z.string().describe('An address.'))
    .optional()
    .describe('With sticky ownership: what the node goes on answering for although another is first by the order.')
    .register(kubernetes, atomic),
  ignoresExcludeLabel: z
    .boolean()
    .describe('Whether nodes with the label node.kubernetes.io/exclude-from-external-load-balancers announce too.'),
});
export type ReportInputs = z.infer<typeof inputs>;

const nodeReason = z
  .object({
    reason: z.string().describe('One word; docs/reasons.md explains each.'),
    message: z.string().describe('A sentence that says why.'),
  })
  .describe('One reason.');
export type NodeReason = z.infer<typeof nodeReason>;

const exception = nodeReason
  .extend({
    service: z.string().describe('The Service, as `namespace/name`.'),
    address: z.string().describe('The address that the node owns and does not announce.'),
  })
  .describe('One address that the node owns and does not announce, and why.');
export type ReportException = z.infer<typeof exception>;

const responder = z
  .object({
    kind: z
      .enum(['Kernel', 'Packet'])
      .describe('Kernel: a program in the kernel answers. Packet: the speaker answers through packet sockets.'),
    reason: z.string().describe('One word that says why; docs/reasons.md explains each.'),
    message: z.string().describe('A sentence that says why.'),
  })
  .describe('Who answers ARP and Neighbor Solicitations.');
export type ReportResponder = z.infer<typeof responder>;

const probe = z
  .object({
    address: z.string().describe('The address that was asked for.'),
    uid: z.string().describe('The uid of the AddressProbe that this answers.'),
    result: z
      .enum(['Free', 'Conflict', 'Failed'])
      .describe('Free: nobody answered. Conflict: somebody else has the address. Failed: the node could not ask.'),
    mac: z.string().optional().describe('The MAC address of the other, where there is a conflict.'),
    interface: z.string().optional().describe('The interface on which the other answered.'),
    message: z.string().optional().describe('A sentence that says more.'),
  })
  .describe('The answer to one AddressProbe for this node.');
export type ProbeResult = z.infer<typeof probe>;

/** Written by the speaker of the node alone, under the name of the node in Herald's own namespace. */
export interface NodeAnnouncement {
  readonly apiVersion?: string;
  readonly kind?: 'NodeAnnouncement';
  readonly metadata: ObjectMeta;
  /** How many addresses the node announces. */
  readonly announced: number;
  readonly inputs: ReportInputs;
  /** What keeps the whole node from announcing. */
  readonly reasons: readonly NodeReason[];
  /** Buckets in which the node announces something, or has seen a Service, in ascending order. */
  readonly buckets: readonly ReportBucket[];
  readonly exceptions: readonly ReportException[];
  readonly exceptionCount: number;
  /** Absent in reports of speakers before there was a choice. */
  readonly responder?: ReportResponder;
  /** The AddressProbes for this node that it has carried out. */
  readonly probes?: readonly ProbeResult[];
}

export const nodeAnnouncementKind: KindDefinition = {
  group: 'heraldlb.io',
  version: 'v1alpha1',
  kind: 'NodeAnnouncement',
  plural: 'nodeannouncements',
  singular: 'nodeannouncement',
  categories: [CATEGORY],
  description:
    'What the node of the same name announces, and from which inputs. It holds while the Lease of the node is renewed.',
  columns: [
    { name: 'Announced', type: 'integer', jsonPath: '.announced', description: 'Addresses that the node announces.' },
    {
      name: 'Exceptions',
      type: 'integer',
      jsonPath: '.exceptionCount',
      description: 'Addresses that it owns and does not announce.',
    },
    {
      name: 'Answers',
      type: 'string',
      jsonPath: '.responder.kind',
      description: 'Who answers ARP and Neighbor Solicitations: a program in the kernel, or packet sockets.',
    },
    {
      name: 'Reason',
      type: 'string',
      jsonPath: '.reasons[0].reason',
      description: 'What keeps the whole node from announcing.',
    },
    ageColumn,
  ],
  schema: z.object({
    announced: int32().min(0).describe('How many addresses the node announces.'),
    inputs: inputs.describe('What the result follows from; the operator computes the same from it.'),
    reasons: z.array(nodeReason).describe('What keeps the whole node from announcing.').register(kubernetes, atomic),
    buckets: z
      .array(bucket)
      .max(REPORT_BUCKETS)
      .describe('What the node announces, by bucket of Services.')
      .register(kubernetes, atomic),
    exceptions: z
      .array(exception)
      .max(MAX_EXCEPTIONS)
      .describe('Addresses that the node owns and does not announce, the first 200 by name.')
      .register(kubernetes, atomic),
    exceptionCount: int64().min(0).describe('How many such addresses there are.'),
    responder: responder.optional().describe('Who answers ARP and Neighbor Solicitations on the node, and why.'),
    probes: z
      .array(probe)
      .optional()
      .describe('The AddressProbes for this node that it has carried out, for as long as they are there.')
      .register(kubernetes, atomic),
  }),
  subresources: [],
};
