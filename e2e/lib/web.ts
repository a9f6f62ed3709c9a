/** The workload behind the Services of a scenario: the echo server in pods of its own. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { E2E_IMAGE, repository } from '../cluster/places.ts';
import type { KubeObject } from './kube-api.ts';

const SERVER = join(repository, 'e2e/probe/server.ts');

export interface WebOptions {
  readonly namespace: string;
  readonly name?: string;
  /** The pods run on this node; without it anywhere. */
  readonly node?: string;
  readonly replicas?: number;
}

/** The ConfigMap with the server and the Deployment that runs it. */
export function webObjects({ namespace, name = 'web', node, replicas = 1 }: WebOptions): KubeObject[] {
  const labels = { app: name };
  const script = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${name}-server`, namespace } };
  const container = {
    name: 'server',
    image: E2E_IMAGE,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', '/server/server.ts'],
    env: [{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
    readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
    volumeMounts: [{ name: 'server', mountPath: '/server' }],
  };
  const pod = {
    ...(node === undefined ? {} : { nodeName: node }),
    tolerations: [{ operator: 'Exists' }],
    terminationGracePeriodSeconds: 1,
    containers: [container],
    volumes: [{ name: 'server', configMap: { name: script.metadata.name } }],
  };
  const spec = { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } };
  return [
    { ...script, data: { 'server.ts': readFileSync(SERVER, 'utf8') } },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace }, spec },
  ];
}

export interface ServiceOptions {
  readonly namespace: string;
  readonly name: string;
  /** The name of the workload behind it. */
  readonly app?: string;
  readonly families?: readonly ('IPv4' | 'IPv6')[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>>;
}

const BOTH_FAMILIES = ['IPv4', 'IPv6'] as const;

/** A Service of type LoadBalancer for the page and both echoes; both families unless told otherwise. */
export function webService({
  namespace,
  name,
  app = 'web',
  families = BOTH_FAMILIES,
  annotations,
  labels,
  spec,
}: ServiceOptions): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace,
      ...(annotations && { annotations: { ...annotations } }),
      ...(labels && { labels: { ...labels } }),
    },
    spec: {
      type: 'LoadBalancer',
      ipFamilyPolicy: families.length > 1 ? 'RequireDualStack' : 'SingleStack',
      ipFamilies: [...families],
      selector: { app },
      ports: [
        { name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' },
        { name: 'udp', port: 9000, targetPort: 9000, protocol: 'UDP' },
        { name: 'echo', port: 9001, targetPort: 9001, protocol: 'TCP' },
      ],
      ...spec,
    },
  };
}
