/** The pods' network in place of kindnet: a ptp link per pod, static routes between nodes, masquerading to the outside; both families. */
import { parseIp } from '../../operator/net/address.ts';

/** What the network has to know of a node. */
export interface NodeNetwork {
  readonly name: string;
  readonly podCidrs: readonly string[];
  readonly addresses: readonly string[];
}

const UNIT = 'herald-pod-network.service';
const SCRIPT = '/etc/herald-pod-network.sh';

/** The CNI configuration of one node. */
export function cniConfiguration(node: NodeNetwork): string {
  const ranges = node.podCidrs.map((subnet) => [{ subnet }]);
  const routes = node.podCidrs.map((cidr) => ({ dst: familyOf(cidr) === 4 ? '0.0.0.0/0' : '::/0' }));
  const ipam = { type: 'host-local', dataDir: '/run/cni-ipam-state', routes, ranges };
  const plugins = [
    { type: 'ptp', ipMasq: false, mtu: 1500, ipam },
    { type: 'portmap', capabilities: { portMappings: true } },
  ];
  return JSON.stringify({ cniVersion: '0.4.0', name: 'herald', plugins });
}

/** The script that a node runs at each boot: routes to the other nodes' pods, and masquerading of what leaves the pods' network. */
export function bootScript(node: NodeNetwork, all: readonly NodeNetwork[], podSubnets: readonly string[]): string {
  const routes = all
    .filter((other) => other.name !== node.name)
    .flatMap((other) => other.podCidrs.map((cidr) => ({ cidr, via: addressOf(other, familyOf(cidr)) })))
    .map(({ cidr, via }) => `ip -${familyOf(cidr)} route replace ${cidr} via ${via}`);
  const masquerades = node.podCidrs.map((cidr) => {
    const family = familyOf(cidr) === 4 ? 'ip' : 'ip6';
    const pods = podSubnets.find((subnet) => familyOf(subnet) === familyOf(cidr)) ?? cidr;
    return `    ${family} saddr ${cidr} ${family} daddr != ${pods} fib daddr type != local masquerade`;
  });
  return [
    '#!/bin/sh',
    'set -e',
    'sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1',
    ...routes,
    "nft -f - <<'RULES'",
    'table inet herald-pod-network',
    'delete table inet herald-pod-network',
    'table inet herald-pod-network {',
    '  chain postrouting {',
    '    type nat hook postrouting priority srcnat;',
    ...masquerades,
    '  }',
    '}',
    'RULES',
    '',
  ].join('\n');
}

/** The shell script that installs all this on the node where it runs, and starts it. */
export function installScript(node: NodeNetwork, all: readonly NodeNetwork[], podSubnets: readonly string[]): string {
  const unit = [
    '[Unit]',
    'Description=Routes between the nodes of the lab',
    'Before=kubelet.service',
    '[Service]',
    'Type=oneshot',
    'RemainAfterExit=yes',
    `ExecStart=${SCRIPT}`,
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
  return [
    'set -e',
    'mkdir -p /etc/cni/net.d',
    writeFile(SCRIPT, bootScript(node, all, podSubnets)),
    `chmod 755 ${SCRIPT}`,
    writeFile(`/etc/systemd/system/${UNIT}`, unit),
    'systemctl daemon-reload',
    `systemctl enable --now ${UNIT}`,
    // Last: with this file containerd reports the network as ready.
    'rm -f /etc/cni/net.d/*',
    writeFile('/etc/cni/net.d/10-herald.conflist', `${cniConfiguration(node)}\n`),
    '',
  ].join('\n');
}

function writeFile(path: string, content: string): string {
  return `cat > ${path} <<'END-OF-FILE'\n${content}END-OF-FILE`;
}

function familyOf(network: string): 4 | 6 {
  const address = parseIp(network.split('/')[0] ?? '');
  if (address === undefined) throw new Error(`${network} is no network`);
  return address.family;
}

function addressOf(node: NodeNetwork, family: 4 | 6): string {
  const address = node.addresses.find((text) => parseIp(text)?.family === family);
  if (address === undefined) throw new Error(`${node.name} has no IPv${family} address`);
  return address;
}
