/** The sysctl arp_ignore (ip-sysctl.rst): for which addresses the kernel answers ARP by itself. */

import { readFileSync } from 'node:fs';

/** The value in force on an interface: the larger one of its own and that of all; 0 when the interface is gone. */
export const arpIgnore = (interfaceName: string): number =>
  Math.max(...['all', interfaceName].map((scope) => Number(readOr0(`/proc/sys/net/ipv4/conf/${scope}/arp_ignore`))));

function readOr0(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '0';
  }
}
