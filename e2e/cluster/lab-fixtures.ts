/** Objects that the lab's own test puts into the cluster: web servers, their Service, and a speaker to crash. */

import { setTimeout as delay } from 'node:timers/promises';
import * as lab from './lab-client.ts';
import { E2E_IMAGE } from './places.ts';

/** The namespace that the test makes and removes. */
export const NAMESPACE = 'lab-e2e';

/** A web server on a node that tells the node's name. */
export const webPod = (name: string, node: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: NAMESPACE, labels: { app: 'web' } },
  spec: {
    nodeName: node,
    terminationGracePeriodSeconds: 0,
    tolerations: [{ operator: 'Exists' }],
    containers: [
      {
        name: 'web',
        image: E2E_IMAGE,
        imagePullPolicy: 'Never',
        command: ['sh', '-c', `mkdir -p /tmp/w && echo ${name} > /tmp/w/index.html && exec httpd -f -p 8080 -h /tmp/w`],
        readinessProbe: { httpGet: { port: 8080, path: '/' }, periodSeconds: 1 },
      },
    ],
  },
});

/** Reaches the web servers through a port of every node, on both families. */
export const webService = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: NAMESPACE },
  spec: {
    type: 'NodePort',
    ipFamilyPolicy: 'RequireDualStack',
    selector: { app: 'web' },
    ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }],
  },
};

/** A container of the name that `crash` looks for, where no Herald is installed. */
const speakerPod = (node: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'lab-e2e', namespace: 'metallb-system' },
  spec: {
    nodeName: node,
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'speaker', image: E2E_IMAGE, imagePullPolicy: 'Never', command: ['sleep', '100000'] }],
  },
});

/** Applies objects by kubectl. */
export async function apply(...objects: readonly object[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  await lab.kubectl(['apply', '-f', '-'], { stdin: JSON.stringify(list) });
}

/** Deletes what is there and waits until it is gone. */
export async function remove(...what: readonly string[]): Promise<void> {
  await lab.kubectl(['delete', '--ignore-not-found', '--wait=true', ...what]);
}

/** A namespace. */
export const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

interface SpeakerPod {
  readonly namespace: string;
  readonly name: string;
  readonly restarts: number;
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly namespace: string; readonly name: string };
    readonly spec: { readonly nodeName: string };
    readonly status: {
      readonly containerStatuses?: readonly {
        readonly name: string;
        readonly ready: boolean;
        readonly restartCount: number;
      }[];
    };
  }[];
}

async function speakersOn(node: string): Promise<readonly SpeakerPod[]> {
  const { items } = await lab.kubectlJson<PodList>(['get', 'pods', '-A', '--field-selector', `spec.nodeName=${node}`]);
  return items.flatMap(({ metadata, status }) =>
    (status.containerStatuses ?? [])
      .filter(({ name, ready }) => name === 'speaker' && ready)
      .map(({ restartCount }) => ({ ...metadata, restarts: restartCount })),
  );
}

/** The speaker on the node: Herald's own where it is installed, else a stand-in. */
export async function aSpeaker(node: string): Promise<SpeakerPod> {
  const [found] = await speakersOn(node);
  if (found) return found;
  await apply(namespace('metallb-system'));
  await lab.kubectl(['-n', 'metallb-system', 'wait', '--for=create', 'serviceaccount/default', '--timeout=30s']);
  await apply(speakerPod(node));
  await lab.kubectl(['-n', 'metallb-system', 'wait', '--for=condition=Ready', 'pod/lab-e2e', '--timeout=60s']);
  const [made] = await speakersOn(node);
  if (made === undefined) throw new Error('the stand-in did not start');
  return made;
}

/** Waits until the kubelet has started a speaker again. */
export async function restarted(speaker: SpeakerPod, node: string): Promise<void> {
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const now = (await speakersOn(node)).find(({ name }) => name === speaker.name);
    if (now && now.restarts > speaker.restarts) return;
    await delay(1_000);
  }
  throw new Error(`${speaker.namespace}/${speaker.name} was not started again within a minute`);
}
