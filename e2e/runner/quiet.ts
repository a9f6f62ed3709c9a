/** Which scenarios are told side by side: those that break nothing that others look at, and measure no time. */

/**
 * By name; whoever cuts links, kills processes, changes definitions, counts the API server's requests or makes a pool for
 * every namespace is not here.
 */
export const QUIET: readonly string[] = [
  'crd-rules',
  'crd-samples',
  'etp-local',
  'kubectl-views',
  'l2-announce',
  'metrics',
];
