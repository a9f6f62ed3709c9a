import type { AddressInfo } from 'node:net';
import * as assert from 'uvu/assert';
import { createAdapter } from '../examples/netbox/adapter.ts';
import { formatIp } from '../operator/net/address.ts';
import { type ClaimRequest, SourceError } from '../operator/sources/address-source.ts';
import { HttpSource } from '../operator/sources/http-source.ts';
import { ip } from './allocation.ts';
import { FakeNetbox } from './fake-netbox.ts';
import { rejection, spec } from './spec.ts';

const SIGNAL = new AbortController().signal;
const NETBOX_TOKEN = '0123456789abcdef0123456789abcdef01234567';
const TOKEN = 'between-herald-and-adapter';

interface Stage {
  readonly netbox: FakeNetbox;
  readonly source: HttpSource;
}

async function on(body: (stage: Stage) => Promise<void>, token = TOKEN, netboxToken = NETBOX_TOKEN): Promise<void> {
  const netbox = await new FakeNetbox(NETBOX_TOKEN, [
    { id: 12, prefix: '192.0.2.0/29', vrf: null, hosts: ['192.0.2.1', '192.0.2.2'] },
    { id: 13, prefix: '198.51.100.0/31', vrf: { id: 7 }, hosts: ['198.51.100.0'] },
    { id: 34, prefix: '2001:db8::/126', vrf: null, hosts: ['2001:db8::1'] },
  ]).start();
  const adapter = createAdapter({
    netboxUrl: netbox.url,
    netboxToken: () => netboxToken,
    prefixes: [12, 13, 34],
    token: () => TOKEN,
    timeoutMs: 1_000,
  });
  await new Promise<void>((resolve) => adapter.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(adapter.address() as AddressInfo).port}`;
  const source = new HttpSource({ url, timeoutMs: 2_000, token });
  try {
    await body({ netbox, source });
  } finally {
    source.close();
    adapter.closeAllConnections();
    adapter.close();
    netbox.stop();
  }
}

async function claimed({ source }: Stage, id: string, more: Partial<ClaimRequest> = {}): Promise<string> {
  const answer = await source.claim(
    {
      id,
      cluster: 'cluster-1',
      pool: 'herald-system/office',
      family: 4,
      service: { namespace: 'shop', name: id, uid: `uid-${id}` },
      order: '0001-5',
      within: ['192.0.2.0/29'],
      ...more,
    },
    SIGNAL,
  );
  return answer.outcome === 'Granted' ? formatIp(answer.address) : answer.message;
}

const inNetbox = ({ netbox }: Stage): readonly string[] =>
  [...netbox.addresses.values()].map(({ address, vrf, description }) => `${address} ${vrf?.id ?? '-'} ${description}`);

spec('the adapter for NetBox', (test) => {
  test('makes an address in NetBox of a claim, from the first prefix that has one, and once', () =>
    on(async (stage) => {
      for (const id of ['a', 'b', 'c', 'a']) await claimed(stage, id);
      assert.is(await claimed(stage, 'd'), 'no prefix has a free IPv4 address');
      assert.is(await claimed(stage, 'v6', { family: 6 }), '2001:db8::1');
      assert.equal(inNetbox(stage), [
        '192.0.2.1/29 - Service shop/a (Herald)',
        '192.0.2.2/29 - Service shop/b (Herald)',
        '198.51.100.0/31 7 Service shop/c (Herald)',
        '2001:db8::1/126 - Service shop/v6 (Herald)',
      ]);
    }));

  test('lists what it made for a cluster, and removes it', () =>
    on(async (stage) => {
      stage.netbox.add('192.0.2.5/29');
      for (const id of ['a', 'b', 'c']) await claimed(stage, id);
      await claimed(stage, 'other', { cluster: 'cluster-2', family: 6 });
      const listed = await stage.source.list('cluster-1', SIGNAL);
      assert.equal(
        listed.map(({ id, pool, service, address }) => `${id} ${pool} ${service.uid} ${formatIp(address)}`),
        [
          'a herald-system/office uid-a 192.0.2.1',
          'b herald-system/office uid-b 192.0.2.2',
          'c herald-system/office uid-c 198.51.100.0',
        ],
      );
      for (const id of ['a', 'a', 'c']) await stage.source.release(id, '0001-6', SIGNAL);
      assert.is(stage.netbox.addresses.size, 3);
    }));

  test('gives the very address that is asked for, unless it is in NetBox or elsewhere', () =>
    on(async (stage) => {
      stage.netbox.add('192.0.2.5/29');
      assert.is(await claimed(stage, 'a', { address: ip('192.0.2.4') }), '192.0.2.4');
      assert.is(await claimed(stage, 'b', { address: ip('192.0.2.5') }), '192.0.2.5 is in NetBox already');
      assert.is(await claimed(stage, 'c', { address: ip('203.0.113.1') }), '203.0.113.1 lies in none of the prefixes');
    }));

  test('neither loses nor doubles an address when an answer of NetBox is lost', () =>
    on(async (stage) => {
      for (const [at, method] of ['GET', 'POST', 'PATCH', 'DELETE'].entries()) {
        stage.netbox.loses = method;
        const again = { order: `0001-${at}` };
        for (let tries = 0; tries < 3; tries++) await claimed(stage, 'a', again).catch(() => undefined);
        assert.is(await claimed(stage, 'a', again), '192.0.2.1', method);
        assert.is(stage.netbox.addresses.size, 1, method);
        for (let tries = 0; tries < 2; tries++)
          await stage.source.release('a', '0001-9', SIGNAL).catch(() => undefined);
        assert.is(stage.netbox.addresses.size, 0, method);
        assert.is(stage.netbox.loses, undefined, method);
      }
    }));

  test('takes the older of two addresses of one claim, and removes the other', () =>
    on(async (stage) => {
      await claimed(stage, 'a');
      const [made] = stage.netbox.addresses.values();
      stage.netbox.add('192.0.2.2/29', made?.custom_fields);
      assert.is(await claimed(stage, 'a', { order: '0001-6' }), '192.0.2.1');
      assert.is(stage.netbox.addresses.size, 1);
    }));

  test('does nothing that comes too late', () =>
    on(async (stage) => {
      await claimed(stage, 'a', { order: '0002-1' });
      const late = await rejection(SourceError, () => stage.source.release('a', '0001-9', SIGNAL));
      assert.equal([late.reason, late.order], ['Outdated', '0002-1']);
      assert.is(stage.netbox.addresses.size, 1);
    }));

  test('lets in only who has its token, and says when NetBox refuses its own', async () => {
    await on(async (stage) => {
      assert.is((await rejection(SourceError, () => claimed(stage, 'a'))).reason, 'Unauthorized');
      assert.equal(stage.netbox.requests, []);
    }, 'guessed');
    await on(
      async (stage) => {
        const { reason, message } = await rejection(SourceError, () => claimed(stage, 'a'));
        assert.is(reason, 'Failed');
        assert.match(message, /NetBox answered a request with 403: Invalid token$/);
        assert.not.match(message, /wrong-one/);
      },
      TOKEN,
      'wrong-one',
    );
  });
});
