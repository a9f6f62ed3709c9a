/** The part of Argo CD's ConfigMap that teaches it how our objects are: one script for all kinds. */
import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { kinds } from '../crds/kinds.ts';

export const healthScript = readFileSync(new URL('argocd/health.lua', import.meta.url), 'utf8');

/**
 * A patch for `argocd-cm`. Only the key `resource.customizations` knows patterns; keys of the form
 * `resource.customizations.health.GROUP_KIND`, where Argo CD finds one, win over it.
 */
export function argoCdConfigMap() {
  const groups = [...new Set(kinds.map(({ group }) => group))];
  const customizations = Object.fromEntries(groups.map((group) => [`${group}/*`, { 'health.lua': healthScript }]));
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'argocd-cm',
      namespace: 'argocd',
      labels: { 'app.kubernetes.io/name': 'argocd-cm', 'app.kubernetes.io/part-of': 'argocd' },
    },
    data: { 'resource.customizations': stringify(customizations, { lineWidth: 0 }) },
  };
}
