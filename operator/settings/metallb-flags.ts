/** Flags of MetalLB 0.16 that Herald does not take: whoever moves arguments over is told what became of each. */

export const METALLB_ONLY_FLAGS: Readonly<Record<string, string>> = {
  'bgp-debounce-timeout': 'belongs to MetalLB in FRR mode, which Herald does not need: remove it',
  'cert-dir': 'belongs to MetalLB and its webhooks, which Herald does not have: remove it',
  'cert-service-name': 'belongs to MetalLB and its webhooks, which Herald does not have: remove it',
  deployment: 'belongs to MetalLB; Herald creates its member key by itself: remove it',
  'disable-cert-rotation': 'belongs to MetalLB and its webhooks, which Herald does not have: remove it',
  'frrk8s-namespace': 'belongs to MetalLB with frr-k8s, which Herald does not need: remove it',
  'frrk8s-secret-passthrough': 'belongs to MetalLB with frr-k8s, which Herald does not need: remove it',
  'gratuitous-arp-interval': 'is not taken: Herald announces an address when its owner changes, not by interval',
  host: 'is ignored by MetalLB and not taken by Herald: remove it',
  'metrics-cert-dir': 'is not taken: Herald makes a certificate for its metrics at each start',
  'ml-labels': 'belongs to MetalLB; Herald finds its speakers without labels: remove it',
  'ml-secret-name': 'belongs to MetalLB; the Secret of Herald is named herald-memberkey: remove it',
  'ml-wan-config': 'is not taken: set --heartbeat-interval-ms and --heartbeat-missed to suit a slow network',
  'pprof-bind-address': 'belongs to the Go runtime of MetalLB: remove it',
  'tls-cipher-suites': 'is not taken: the metrics endpoint speaks TLS 1.3 alone, with the suites of Node.js',
  'tls-curve-preferences': 'is not taken: the metrics endpoint speaks TLS 1.3 alone, with the curves of Node.js',
  'tls-min-version': 'is not taken: the metrics endpoint speaks TLS 1.3 alone',
  'webhook-http2': 'belongs to the webhooks of MetalLB, which Herald does not have: remove it',
  'webhook-mode': 'belongs to the webhooks of MetalLB, which Herald does not have: remove it',
  'webhook-secret': 'belongs to the webhooks of MetalLB, which Herald does not have: remove it',
};
