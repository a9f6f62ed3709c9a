/** Which scenarios are told side by side: those that break nothing that others look at, and measure no time. */

/** By name; whoever cuts links, kills processes, changes definitions or counts the API server's requests is not here. */
export const QUIET: readonly string[] = [
  'crd-rules',
  'crd-samples',
  'etp-local',
  'kubectl-views',
  'l2-announce',
  'metallb-manifests',
  'metrics',
];
