import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import { parseIp } from '../net/address.ts';
import { FakeHost, fakeInterface } from './fake-host.ts';
import { type HostUnderTest, hostContract } from './host-contract.ts';
import { HostError } from './host-error.ts';
import { accept } from './socket-filter.ts';

function make(): HostUnderTest {
  const up = fakeInterface(2, 'left');
  const host = new FakeHost([up]);
  return {
    host,
    deliver: (frame) => host.deliver('left', frame),
    emitted: () => host.sent.map(({ frame }) => frame),
    setLink: (state) => host.setInterface({ ...up, isUp: state === 'up', hasCarrier: state === 'up' }),
    remove: () => host.removeInterface('left'),
    close: () => host.close(),
  };
}

spec('the host contract, kept by the fake', (test) => hostContract(test, make));

spec('the fake host', (test) => {
  const socketOn = (host: FakeHost) =>
    host.openPacketSocket({
      interfaceIndex: 2,
      protocol: 'Ipv6',
      filter: [accept()],
      onFrame: () => undefined,
      onError: () => undefined,
    });

  test('prints itself', () => {
    const host = new FakeHost([
      fakeInterface(2, 'eth0'),
      fakeInterface(3, 'eth1', { hasCarrier: false }),
      fakeInterface(4, 'wg0', { mac: undefined, isUp: false }),
    ]);
    const group = parseIp('ff02::1:ff00:10');
    socketOn(host).setGroups(group ? [group] : []);
    assert.is(
      host.print(),
      [
        'eth0 UP 02:00:00:00:00:02',
        '    Ipv6 socket ff02::1:ff00:10',
        'eth1 NO-CARRIER 02:00:00:00:00:03',
        'wg0 DOWN -',
      ].join('\n'),
    );
  });
  test('refuses sockets as the kernel refuses them without NET_RAW', async () => {
    const host = new FakeHost([fakeInterface(2, 'eth0')]);
    host.refusesWith = 'EPERM';
    const error = await rejection(HostError, () => socketOn(host));
    assert.is(error.code, 'EPERM');
    assert.match(error.remedy ?? '', /NET_RAW/);
  });
});
