/**
 * The order of scenarios: side by side and first those that break nothing that others look at, and measure no time; last
 * what the cluster's own controllers take minutes to get over.
 */

/**
 * By name; whoever cuts links, kills processes, changes definitions, counts the API server's requests or makes a pool for
 * every namespace is not here.
 */
export const QUIET: readonly string[] = [
  'crd-rules',
  'crd-samples',
  'duplicate-address',
  'etp-local',
  'external-ips',
  'kubectl-views',
  'l2-announce',
  'metrics',
  'reservations',
  'sharing',
];

/** After a minute without the API server the controller manager asks again ever more seldom. */
export const LAST: readonly string[] = ['api-outage'];
