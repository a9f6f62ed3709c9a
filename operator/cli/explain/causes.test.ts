import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { snapshotOf } from '../testing/cluster.ts';
import type { Explanation } from './explanation.ts';
import { explainService } from './service.ts';
import { announcingCauses } from './testing/announcing-causes.ts';
import type { Cause } from './testing/cause.ts';
import { poolCauses } from './testing/pool-causes.ts';
import { requestCauses } from './testing/request-causes.ts';
import { serviceCauses } from './testing/service-causes.ts';

const causes = [...serviceCauses, ...poolCauses, ...requestCauses, ...announcingCauses];

/** The link of the chain that each reason breaks, where it is not the address. */
const LINKS: Readonly<Record<string, string>> = {
  NotLoadBalancer: 'service',
  OtherClass: 'service',
  NotInstalled: 'operator',
  NoLeader: 'operator',
  NotLookedAt: 'operator',
  PoolWithoutExternalIPs: 'external IPs',
  NamespaceNotSelected: 'external IPs',
  NoAdvertisement: 'advertisement',
  NoEndpoints: 'endpoints',
  NoEligibleNode: 'nodes',
  NodeExcluded: 'nodes',
  NodeNetworkUnavailable: 'nodes',
  NoLocalEndpoints: 'nodes',
  NoSpeaker: 'announced',
  NoInterface: 'announced',
  NoReport: 'announced',
};

const explained = ({ cluster, events }: Cause): Explanation => {
  const snapshot = snapshotOf(cluster);
  const asked = snapshot.services.find(({ metadata }) => metadata.name === 'api');
  if (!asked) throw new Error('the case has no Service shop/api');
  return explainService(asked, snapshot, events);
};

spec('explain names the true cause:', (test) => {
  for (const cause of causes)
    test(cause.name, () => {
      const explanation = explained(cause);
      assert.is(explanation.reason, cause.reason, JSON.stringify(explanation, null, 1));
      const broken = explanation.steps.at(-1);
      assert.is.not(broken?.answer, 'yes');
      assert.is(broken?.name, cause.link ?? LINKS[cause.reason] ?? 'address');
      assert.ok(broken?.message.includes(cause.says), broken?.message);
      if (cause.detail) {
        const [subject, reason] = cause.detail;
        const found = broken?.details.some((one) => one.subject === subject && one.reason === reason);
        assert.ok(found, JSON.stringify(broken?.details, null, 1));
      }
      const { remedy } = cause;
      if (remedy !== undefined)
        assert.ok(
          explanation.remedies.some((one) => one.includes(remedy)),
          explanation.remedies.join('\n'),
        );
    });

  test('for at least 25 different refusals', () => {
    assert.ok(new Set(causes.map(({ name }) => name)).size >= 25);
    assert.ok(new Set(causes.map(({ reason, detail }) => detail?.[1] ?? reason)).size >= 25);
  });
});
