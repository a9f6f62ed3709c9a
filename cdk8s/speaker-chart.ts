/** The speaker: one on every node that may announce, in the network of the node. */
import { ApiObject, Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { confined, containerOf, fromPod, podOf, selectorOf } from './pod.ts';
import { type Installation, labelsOf, nameOf } from './product.ts';

/** Where a speaker keeps what it announces, for the time it restarts without an API server. */
const RUN_FOLDER = '/run/herald';
/** The kubelet's copy of the member key, for the same case. */
const KEY_FOLDER = '/etc/herald/memberkey';

/** Raw sockets, joining groups on interfaces, and the clock's priority: a clock that waits for the CPU looks like a dead node to its peers. */
export const SPEAKER_CAPABILITIES = ['NET_RAW', 'NET_ADMIN', 'SYS_NICE'] as const;

export class SpeakerChart extends Chart {
  constructor(scope: Construct, id: string, { namespace }: Installation) {
    super(scope, id, { disableResourceNameHashes: true });
    const metadata = { name: nameOf('speaker'), namespace, labels: labelsOf('speaker') };
    new ApiObject(this, 'daemonset', {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata,
      spec: {
        revisionHistoryLimit: 3,
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
        selector: selectorOf('speaker'),
        template: { metadata: { labels: metadata.labels }, spec: podSpec() },
      },
    });
  }
}

function podSpec() {
  return {
    ...podOf('speaker'),
    hostNetwork: true,
    dnsPolicy: 'ClusterFirstWithHostNet',
    priorityClassName: 'system-node-critical',
    // A speaker that leaves waits at most 1 s for its successor; the rest is for a slow node.
    terminationGracePeriodSeconds: 10,
    // Where a node is cordoned, under pressure or not ready it still announces what it can reach.
    tolerations: [{ operator: 'Exists' }],
    containers: [
      {
        ...containerOf('speaker', {
          host: '127.0.0.1',
          env: [fromPod('METALLB_NODE_NAME', 'spec.nodeName'), fromPod('METALLB_ML_BIND_ADDR', 'status.hostIP')],
        }),
        // Kubernetes gives added capabilities no effect for users other than 0. BPF is not among them (kernel-responder.ts):
        // a runtime that does not know it starts nothing.
        securityContext: {
          ...confined,
          runAsUser: 0,
          capabilities: { drop: ['ALL'], add: [...SPEAKER_CAPABILITIES] },
        },
        // No CPU limit: a throttled clock looks like a dead node to its peers.
        resources: { requests: { cpu: '100m', memory: '96Mi' }, limits: { memory: '512Mi' } },
        volumeMounts: [
          { name: 'run', mountPath: RUN_FOLDER },
          { name: 'memberkey', mountPath: KEY_FOLDER, readOnly: true },
        ],
      },
    ],
    volumes: [
      { name: 'run', hostPath: { path: RUN_FOLDER, type: 'DirectoryOrCreate' } },
      // Optional: the operator creates the Secret, and speakers may be there before it.
      { name: 'memberkey', secret: { secretName: 'herald-memberkey', optional: true, defaultMode: 0o400 } },
    ],
  };
}
