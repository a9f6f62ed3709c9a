/** The parts of a pod that operator and speaker have in common. */
import { HEALTH_PORT, IMAGE, METRICS_PORT, nameOf, type Role, selectorLabels } from './product.ts';

/** An environment variable that Kubernetes fills from the pod itself. */
export const fromPod = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });

/** Runs nothing but what the image brings: no writable root, no way to more privileges. */
export const confined = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

/** A container of the image in one role; `host` is where the kubelet finds its probes, if not at the pod's address. */
export function containerOf(role: Role, own: { readonly env: readonly object[]; readonly host?: string }) {
  const probe = (path: string, timing: object) => ({
    httpGet: { path, port: HEALTH_PORT, ...(own.host ? { host: own.host } : {}) },
    ...timing,
  });
  return {
    name: role,
    image: IMAGE,
    imagePullPolicy: 'IfNotPresent',
    command: ['herald', role],
    env: [fromPod('METALLB_NAMESPACE', 'metadata.namespace'), fromPod('METALLB_POD_NAME', 'metadata.name'), ...own.env],
    ports: [{ name: 'metrics', containerPort: METRICS_PORT, protocol: 'TCP' }],
    startupProbe: probe('/healthz', { periodSeconds: 1, failureThreshold: 60 }),
    livenessProbe: probe('/healthz', { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
    readinessProbe: probe('/readyz', { periodSeconds: 2, timeoutSeconds: 1, failureThreshold: 3 }),
  };
}

/** What stands in the pod spec of both. */
export function podOf(role: Role) {
  return {
    serviceAccountName: nameOf(role),
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    enableServiceLinks: false,
  };
}

/** The labels of a workload's selector and of its pods. */
export const selectorOf = (role: Role) => ({ matchLabels: selectorLabels(role) });
