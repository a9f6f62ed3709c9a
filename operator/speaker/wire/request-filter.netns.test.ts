/** The largest filters against a kernel that gives a socket little memory. Needs root; run as its own process. */

import { writeFileSync } from 'node:fs';
import { spec } from '../../../testing/spec.ts';
import { KernelHost } from '../../host/kernel-host.ts';
import type { FilterProgram } from '../../host/socket-filter.ts';
import type { IpAddress } from '../../net/address.ts';
import { enterNamespace, ip } from './netns-lab.ts';
import { arpRequestFilter, solicitationFilter } from './request-filter.ts';

/** net.core.optmem_max of kernels before 6.7, octets. */
const OLD_OPTMEM_MAX = '20480';

/** Addresses that no two of stand side by side, above 127.255.255.255: their comparisons take the kernel the most room. */
const scattered = (family: 4 | 6, first: number): readonly IpAddress[] =>
  Array.from({ length: 1_000 }, (_, n) => ({ family, value: 0xc000_0000n + BigInt(first + n * n + 2 * n) }));

if (enterNamespace(import.meta.filename)) {
  writeFileSync('/proc/sys/net/core/optmem_max', OLD_OPTMEM_MAX);
  ip('link add name left type veth peer name right');

  spec('socket filters', (test) => {
    const kinds = [
      { protocol: 'Arp', family: 4, filterOf: arpRequestFilter },
      { protocol: 'Ipv6', family: 6, filterOf: solicitationFilter },
    ] as const;
    for (const { protocol, family, filterOf } of kinds)
      test(`${protocol}: the largest one is replaced by another in 20 KiB`, () => {
        const host = new KernelHost();
        try {
          const interfaceIndex = host.interfaces().find(({ name }) => name === 'left')?.index ?? 0;
          const filters = [0, 1, 2].map((first): FilterProgram => filterOf(interfaceIndex, scattered(family, first)));
          const ignore = (): void => undefined;
          const filter = filterOf(interfaceIndex, []);
          const socket = host.openPacketSocket({ interfaceIndex, protocol, filter, onFrame: ignore, onError: ignore });
          try {
            for (const largest of filters) socket.setFilter(largest);
          } finally {
            socket.close();
          }
        } finally {
          host.close();
        }
      });
  });
}
