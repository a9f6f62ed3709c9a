/** What a user of the Helm chart may set: few things, each with its default, its description and its limits. */
import * as z from 'zod';

/** What the manifests say where a value is not set. */
export interface WorkloadDefaults {
  readonly resources: unknown;
  readonly tolerations: unknown;
  readonly nodeSelector: unknown;
}

export interface Defaults {
  readonly image: string;
  readonly pullPolicy: string;
  readonly replicas: number;
  readonly operator: WorkloadDefaults;
  readonly speaker: WorkloadDefaults;
}

const quantity = z.union([z.string(), z.number()]);
const quantities = z.record(z.string(), quantity);

const toleration = z.strictObject({
  key: z.string().optional(),
  operator: z.enum(['Exists', 'Equal']).optional(),
  value: z.string().optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
  tolerationSeconds: z.int().optional(),
});

const workload = {
  args: z
    .array(z.string())
    .describe('Flags beside those of the manifest, such as --log-level=debug; docs/cli.md lists them.'),
  resources: z
    .strictObject({ requests: quantities.optional(), limits: quantities.optional() })
    .describe('CPU and memory of the container.'),
  nodeSelector: z.record(z.string(), z.string()).describe('The labels of nodes that may run it.'),
  tolerations: z.array(toleration).describe('The taints that it tolerates.'),
};

export const values = z.strictObject({
  image: z
    .strictObject({
      repository: z.string().min(1).describe('The image without its tag.'),
      tag: z.string().describe("Empty means the chart's appVersion."),
      pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).describe('When the kubelet pulls the image.'),
    })
    .describe('The one image of operator and speaker.'),
  imagePullSecrets: z
    .array(z.strictObject({ name: z.string().min(1) }))
    .describe('Secrets of the namespace with credentials for the registry.'),
  operator: z
    .strictObject({ replicas: z.int().min(1).max(5).describe('One leads, the others stand by.'), ...workload })
    .describe('Gives Services their addresses.'),
  speaker: z.strictObject(workload).describe('Announces addresses; one on every node that it tolerates.'),
  // Helm hands these to every chart, and the schema must let them pass.
  global: z.record(z.string(), z.unknown()).optional().describe('Of a chart that this one is part of; not used.'),
});
export type Values = z.infer<typeof values>;

/** The default values, which make of the chart what the manifests are. */
export function defaultValues({ image, pullPolicy, replicas, operator, speaker }: Defaults): Values {
  const settings = (defaults: WorkloadDefaults) => ({ args: [], ...defaults });
  return values.parse({
    image: { repository: image.slice(0, image.lastIndexOf(':')), tag: '', pullPolicy },
    imagePullSecrets: [],
    operator: { replicas, ...settings(operator) },
    speaker: settings(speaker),
  });
}

/** `values.schema.json`: Helm checks values against it before it renders anything. */
export const valuesSchema = (): string => `${JSON.stringify(z.toJSONSchema(values, { target: 'draft-7' }), null, 2)}\n`;
