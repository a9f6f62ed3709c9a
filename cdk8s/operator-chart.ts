/** The operator: two replicas of which one leads, on different nodes where there are two. */
import { ApiObject, Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { confined, containerOf, podOf, selectorOf } from './pod.ts';
import { type Installation, labelsOf, nameOf } from './product.ts';

const UNPRIVILEGED_USER = 65_532;
/** A node that is gone is noticed after 40 s anyway; the other replica leads long before. */
const SECONDS_ON_A_LOST_NODE = 30;

export class OperatorChart extends Chart {
  constructor(scope: Construct, id: string, { namespace }: Installation) {
    super(scope, id, { disableResourceNameHashes: true });
    const metadata = { name: nameOf('operator'), namespace, labels: labelsOf('operator') };
    new ApiObject(this, 'deployment', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: 2,
        revisionHistoryLimit: 3,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } },
        selector: selectorOf('operator'),
        template: { metadata: { labels: metadata.labels }, spec: podSpec() },
      },
    });
    new ApiObject(this, 'disruption', {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata,
      spec: { maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow', selector: selectorOf('operator') },
    });
  }
}

function podSpec() {
  return {
    ...podOf('operator'),
    priorityClassName: 'system-cluster-critical',
    // Long enough to finish the writes under way and to release the Lease, so that the other replica leads at once.
    terminationGracePeriodSeconds: 10,
    securityContext: { runAsNonRoot: true, runAsUser: UNPRIVILEGED_USER, runAsGroup: UNPRIVILEGED_USER },
    tolerations: [
      ...['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'].map((key) => ({
        key,
        operator: 'Exists',
        effect: 'NoSchedule',
      })),
      ...['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].map((key) => ({
        key,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: SECONDS_ON_A_LOST_NODE,
      })),
    ],
    affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [apart] } },
    containers: [
      {
        ...containerOf('operator', { env: [] }),
        securityContext: { ...confined, capabilities: { drop: ['ALL'] } },
        resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '512Mi' } },
      },
    ],
  };
}

const apart = {
  weight: 100,
  podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: selectorOf('operator') },
};
