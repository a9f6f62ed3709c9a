import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { bootScript, cniConfiguration, installScript, type NodeNetwork } from './pod-network.ts';

const node = (name: string, at: number): NodeNetwork => ({
  name,
  podCidrs: [`10.244.${at}.0/24`, `fd00:10:244:${at}::/64`],
  addresses: [`172.18.0.${at + 2}`, `fc00::${at + 2}`],
});
const all = [node('a', 0), node('b', 1), node('c', 2)];
const first = all[0] as NodeNetwork;
const subnets = ['10.244.0.0/16', 'fd00:10:244::/56'];

spec('pod network', (test) => {
  test('routes lead to every other node and never to itself, each family by its own', () => {
    const routes = bootScript(first, all, subnets).match(/^ip .*$/gm);
    assert.equal(routes, [
      'ip -4 route replace 10.244.1.0/24 via 172.18.0.3',
      'ip -6 route replace fd00:10:244:1::/64 via fc00::3',
      'ip -4 route replace 10.244.2.0/24 via 172.18.0.4',
      'ip -6 route replace fd00:10:244:2::/64 via fc00::4',
    ]);
  });
  test('what stays among pods keeps its address, what leaves is masqueraded', () => {
    const script = bootScript(first, all, subnets);
    assert.match(script, 'ip saddr 10.244.0.0/24 ip daddr != 10.244.0.0/16 fib daddr type != local masquerade');
    assert.match(
      script,
      'ip6 saddr fd00:10:244:0::/64 ip6 daddr != fd00:10:244::/56 fib daddr type != local masquerade',
    );
  });
  test('the configuration names one range and one default route per family', () => {
    const { plugins } = JSON.parse(cniConfiguration(first)) as { plugins: readonly { ipam?: unknown }[] };
    assert.equal(plugins[0]?.ipam, {
      type: 'host-local',
      dataDir: '/run/cni-ipam-state',
      routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
      ranges: [[{ subnet: '10.244.0.0/24' }], [{ subnet: 'fd00:10:244:0::/64' }]],
    });
  });
  test('the network is reported ready only after its routes are there', () => {
    const script = installScript(first, all, subnets);
    assert.ok(script.indexOf('systemctl enable --now') < script.indexOf('10-herald.conflist'));
  });
  test('a node that lacks a family is an error, not a hole in the network', () => {
    assert.throws(
      () => bootScript(first, [first, { ...node('b', 1), addresses: ['172.18.0.3'] }], subnets),
      /b has no IPv6 address/,
    );
  });
});
