/** Counts the API server's requests from its own metrics (apiserver_request_total). */

const WRITES = new Set(['POST', 'PUT', 'PATCH', 'APPLY']);

export interface RequestCount {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  /** The status of the answer; a write that was refused (409: somebody was faster) stored nothing. */
  readonly code: string;
  readonly count: number;
}

/** Every series of apiserver_request_total in the text of /metrics. */
export function requestCounts(metrics: string): RequestCount[] {
  return metrics.split('\n').flatMap((line) => {
    const match = /^apiserver_request_total\{(.*)\} (\S+)$/.exec(line);
    if (!match) return [];
    const labels = Object.fromEntries(
      [...(match[1] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, value]) => [name, value]),
    );
    const { verb = '', group = '', resource = '', subresource = '', code = '' } = labels;
    return [{ verb, group, resource, subresource, code, count: Number(match[2]) }];
  });
}

/** Writes (POST, PUT, PATCH and server-side apply) to one resource, its subresources included. */
export function writesTo(counts: readonly RequestCount[], resource: string, group?: string): number {
  return counts
    .filter((series) => WRITES.has(series.verb) && series.resource === resource)
    .filter((series) => group === undefined || series.group === group)
    .reduce((sum, { count }) => sum + count, 0);
}
