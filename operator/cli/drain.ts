/** `herald drain`: what a node announces, who would take over, and how to make it stop. It changes nothing. */

import { labels } from '../../crds/annotations.ts';
import { heldAddresses } from '../allocator/service-request.ts';
import { keyOf } from '../cluster/objects.ts';
import { formatIp } from '../net/address.ts';
import { nearest } from '../settings/nearest.ts';
import { onlyArgument, readArguments } from './arguments.ts';
import { type Command, CommandError, type CommandIo, clusterOptions, outputOption } from './command.ts';
import { type Decisions, decisionsOf } from './decisions.ts';
import { announcersByService } from './explain/announcers.ts';
import { hasSpeaker } from './explain/nodes.ts';
import { type ClusterSnapshot, gather, warnOfUnread } from './gather.ts';
import { formatOf, type Paint, paintOf, structured, table } from './output.ts';

/** Nothing was drained: whoever runs this in a script must not go on. */
const EXIT_NOT_DRAINED = 1;

const options = { ...clusterOptions, ...outputOption } as const;

export const drain: Command = {
  name: 'drain',
  summary: 'what a node announces, who would take over, and how to make it stop',
  usage: 'NODE',
  options,
  notes:
    'This version does not drain by itself: it changes nothing, and ends with 1 where the node announces something.',
  complete: async (positionals, io) =>
    positionals.length === 1 ? (await gather(io, {})).nodes.map(({ metadata }) => metadata.name).sort() : [],
  async run(args: readonly string[], io: CommandIo): Promise<number> {
    const { values, positionals } = readArguments(args, options);
    const node = onlyArgument(positionals, 'the node');
    const snapshot = await gather(io, values);
    warnOfUnread(io, snapshot);
    const report = drainReport(node, snapshot);
    const format = formatOf(values);
    io.stdout(format === 'table' ? drainText(report, paintOf(io)) : structured(format, report));
    return report.announces.length === 0 ? 0 : EXIT_NOT_DRAINED;
  },
};

/** One address that the node announces. */
export interface Announced {
  readonly address: string;
  readonly service: string;
  /** The node that would own it without this one; missing where none may. */
  readonly next?: string;
}

export interface DrainReport {
  readonly node: string;
  readonly announces: readonly Announced[];
  /** The command that makes the speakers leave the node out; missing where the label is disregarded or there already. */
  readonly command?: string;
  /** Why there is no command. */
  readonly because?: string;
}

export function drainReport(node: string, snapshot: ClusterSnapshot): DrainReport {
  const names = snapshot.nodes.map(({ metadata }) => metadata.name);
  if (!names.includes(node)) {
    const meant = nearest(node, names);
    throw new CommandError(`there is no node ${node}${meant ? `: did you mean ${meant}?` : ''}`);
  }
  const decisions = decisionsOf(snapshot);
  const announces = announcedBy(node, snapshot).map(({ service, address }) => {
    const next = nextOf(node, service, address, snapshot, decisions);
    return { address, service, ...(next !== undefined && { next }) };
  });
  return { node, announces, ...wayOut(node, snapshot) };
}

function announcedBy(node: string, snapshot: ClusterSnapshot): readonly Pick<Announced, 'service' | 'address'>[] {
  const held = new Map(snapshot.services.map((one) => [keyOf(one), heldAddresses(one).map(formatIp)]));
  return [...announcersByService(snapshot)].flatMap(([service, announcers]) =>
    announcers
      .filter((one) => one.node === node)
      .flatMap(({ address }) => (address === undefined ? (held.get(service) ?? []) : [address]))
      .map((address) => ({ service, address })),
  );
}

/** The best other candidate that has a speaker. */
function nextOf(
  node: string,
  service: string,
  address: string,
  snapshot: ClusterSnapshot,
  decisions: Decisions,
): string | undefined {
  const seen = decisions.announced.get(service);
  const claim = seen && decisions.claimsOf(seen).find((one) => one.address === address)?.claim;
  if (!claim || 'reason' in claim) return undefined;
  return claim.candidates.find((name) => name !== node && hasSpeaker(name, snapshot));
}

function wayOut(name: string, { nodes, installation }: ClusterSnapshot): Pick<DrainReport, 'command' | 'because'> {
  const label = labels.excludeFromExternalLoadBalancers;
  const node = nodes.find(({ metadata }) => metadata.name === name);
  if (installation.ignoresExcludeLabel)
    return { because: `the speakers run with --ignore-exclude-lb, so the label ${label} changes nothing` };
  if (node?.metadata.labels?.[label] !== undefined) return { because: `the node has the label ${label} already` };
  return { command: `kubectl label node ${name} ${label}=` };
}

export function drainText({ node, announces, command, because }: DrainReport, paint: Paint): string {
  if (announces.length === 0) return `node ${node} announces nothing\n`;
  const rows = announces.map(({ address, service, next }) => [
    address,
    service,
    next === undefined ? paint('bad', 'no other node may announce it: it would be lost') : `next: ${next}`,
  ]);
  const head = `node ${node} announces ${announces.length} ${announces.length === 1 ? 'address' : 'addresses'}\n`;
  const told = 'This version of Herald does not drain nodes by itself; nothing was changed.\n';
  if (command === undefined) return `${paint('strong', head)}${table([], rows, '  ')}${told}${because ?? ''}\n`;
  return (
    `${paint('strong', head)}${table([], rows, '  ')}${told}` +
    `What works today: with this label the speakers leave the node out, and the next ones take over.\n` +
    `Other controllers that know the label do the same.\n  ${command}\nAnd back again:\n  ${command.replace(/=$/, '-')}\n`
  );
}
