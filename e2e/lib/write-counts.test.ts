import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { requestCounts, writesTo } from './write-counts.ts';

const METRICS = `# HELP apiserver_request_total [STABLE] Counter of apiserver requests
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="services",scope="resource",subresource="status",verb="APPLY",version="v1"} 7
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="services",scope="resource",subresource="",verb="PATCH",version="v1"} 2
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="services",scope="cluster",subresource="",verb="LIST",version="v1"} 100
apiserver_request_total{code="201",component="apiserver",dry_run="",group="events.k8s.io",resource="events",scope="resource",subresource="",verb="POST",version="v1"} 3
apiserver_request_total{code="201",component="apiserver",dry_run="",group="",resource="events",scope="resource",subresource="",verb="POST",version="v1"} 1.5e+02
apiserver_request_duration_seconds_count{group="",resource="services",verb="PUT"} 9
`;

spec('write counts', (test) => {
  const counts = requestCounts(METRICS);
  test('adds up every kind of write, and no read', () => assert.is(writesTo(counts, 'services'), 9));
  test('tells the groups of one resource apart', () => {
    assert.equal([writesTo(counts, 'events', 'events.k8s.io'), writesTo(counts, 'events', '')], [3, 150]);
  });
  test('reads only the one metric', () => assert.is(counts.length, 5));
});
