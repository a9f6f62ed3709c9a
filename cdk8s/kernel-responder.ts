/** What a speaker needs to answer in the kernel, as a kustomize component: it goes on top of an installation. */

import { nameOf } from './product.ts';
import { SPEAKER_CAPABILITIES } from './speaker-chart.ts';

const BPF_FILESYSTEM = '/sys/fs/bpf';
const PATCH = 'speaker.yaml';

/**
 * Not a part of the installation: a runtime that cannot give the capability BPF starts no such container at all. That is
 * so where an older Docker runs the nodes, as in some kind clusters.
 */
export const kernelResponder = {
  file: PATCH,
  /** A strategic merge patch: lists of capabilities are replaced, volumes and variables added by their names. */
  patch: {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: nameOf('speaker') },
    spec: {
      template: {
        spec: {
          containers: [
            {
              name: 'speaker',
              env: [{ name: 'HERALD_L2_RESPONDER', value: 'auto' }],
              securityContext: { capabilities: { add: [...SPEAKER_CAPABILITIES, 'BPF'] } },
              volumeMounts: [{ name: 'bpf', mountPath: BPF_FILESYSTEM }],
            },
          ],
          volumes: [{ name: 'bpf', hostPath: { path: BPF_FILESYSTEM, type: 'Directory' } }],
        },
      },
    },
  },
  kustomization: {
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    patches: [{ path: PATCH, target: { kind: 'DaemonSet', name: nameOf('speaker') } }],
  },
} as const;
