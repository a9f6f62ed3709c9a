/** What the manifests have in common: the image, the labels, the ports, and where the product is installed. */
import { readFileSync } from 'node:fs';

/** Where one set of manifests installs Herald. */
export interface Installation {
  /** The namespace of the product. */
  readonly namespace: string;
  /** Whether the manifests create that namespace, and so delete it when they are deleted. */
  readonly createsNamespace: boolean;
}

export const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

export const IMAGE = `herald:${version}`;
export const METRICS_PORT = 9120;
export const HEALTH_PORT = 17_472;

export const ROLES = ['operator', 'speaker'] as const;
export type Role = (typeof ROLES)[number];

/** The labels that select the pods of a role. */
export const selectorLabels = (role: Role) => ({
  'app.kubernetes.io/name': 'herald',
  'app.kubernetes.io/component': role,
});

/** The labels of every object of a role. */
export const labelsOf = (role: Role) => ({
  ...selectorLabels(role),
  'app.kubernetes.io/part-of': 'herald',
  'app.kubernetes.io/version': version,
});

/** The name of the workload, the ServiceAccount and the rights of a role. */
export const nameOf = (role: Role) => `herald-${role}`;
