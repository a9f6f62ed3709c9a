/** Prints the glance at a cluster for people: problems first, bars for pools. */

import { bar, firstSentence, type Paint, table } from '../output.ts';
import type { LimitReport, NodeReport, PoolReport, Replicas, StatusReport } from './report.ts';

/** Longer lists are cut in the table; -o json has them all. */
const MAX_PROBLEMS = 20;
const MAX_ADDRESSES = 6;
const MAX_LIMITS = 10;
const BAR_WIDTH = 20;
/** The share of a pool from which a bar warns: as MetalLB's alerts. */
const NEARLY_FULL = 0.85;

export function statusText(report: StatusReport, paint: Paint): string {
  return [
    headline(report, paint),
    problemsText(report, paint),
    section('POOLS', poolRows(report, paint), paint),
    section('RESERVATIONS', reservationRows(report, paint), paint),
    section('QUOTAS', quotaRows(report, paint), paint),
    section(
      'NODES',
      report.nodes.map((node) => nodeRow(node, paint)),
      paint,
    ),
    section('ADVERTISEMENTS', advertisementRows(report, paint), paint),
    section('PEERS', peerRows(report, paint), paint),
  ]
    .filter(Boolean)
    .join('\n');
}

const section = (title: string, rows: readonly (readonly string[])[], paint: Paint): string =>
  rows.length === 0 ? '' : `${paint('strong', title)}\n${table([], rows, '  ')}`;

function headline(
  { namespace, leader, operators, speakers, services, isInstalled }: StatusReport,
  paint: Paint,
): string {
  if (!isInstalled) return `${paint('bad', 'Herald was not found')}\n`;
  const of = ({ ready, wanted }: Replicas, what: string): string =>
    paint(ready < wanted || wanted === 0 ? 'bad' : 'good', `${ready} of ${wanted} ${what}`);
  const led = leader === undefined ? paint('bad', 'nobody leads') : `${leader} leads`;
  const { served, withAddress, announced } = services;
  return (
    `${paint('strong', `Herald in ${namespace}`)}: ${of(operators, 'operators')} and ${of(speakers, 'speakers')} ready, ${led}\n` +
    `${served} ${served === 1 ? 'Service' : 'Services'} of type LoadBalancer: ${withAddress} with an address, ${announced} announced\n`
  );
}

function problemsText({ problems }: StatusReport, paint: Paint): string {
  if (problems.length === 0) return `${paint('good', 'No problems')}\n`;
  const rows = problems
    .slice(0, MAX_PROBLEMS)
    .map(({ subject, reason, message }) => [subject, paint('bad', reason), firstSentence(message)]);
  const more = problems.length - rows.length;
  const rest = more > 0 ? `  and ${more} more: herald status -o json has them all\n` : '';
  return `${paint('bad', `PROBLEMS (${problems.length})`)}\n${table([], rows, '  ')}${rest}`;
}

function poolRows({ pools }: StatusReport, paint: Paint): readonly (readonly string[])[] {
  return pools.flatMap((pool): readonly (readonly string[])[] => {
    const word = pool.isReady ? '' : paint('bad', pool.reason);
    if (pool.use.length === 0) return [[pool.name, '', '', word]];
    return pool.use.map(({ family, used, free }, at) => [
      at === 0 ? pool.name : '',
      family,
      barOf(used, free, pool, paint),
      `${used} used, ${free} free`,
      at === 0 ? word : '',
    ]);
  });
}

function barOf(used: number, free: number, { isRemnant }: PoolReport, paint: Paint): string {
  const share = used / (used + free);
  return paint(isRemnant ? 'quiet' : share >= NEARLY_FULL ? 'warn' : 'good', bar(share, BAR_WIDTH));
}

const reservationRows = ({ reservations }: StatusReport, paint: Paint): readonly (readonly string[])[] =>
  reservations.map(({ name, isReady, reason, keeps, whose, held, heldByOthers }) => [
    name,
    paint(isReady ? 'good' : 'bad', reason),
    `${keeps} for ${whose}`,
    `${held} held${heldByOthers > 0 ? `, ${heldByOthers} by others` : ''}`,
  ]);

function quotaRows({ quotas }: StatusReport, paint: Paint): readonly (readonly string[])[] {
  return quotas.flatMap(({ name, isReady, reason, limits }): readonly (readonly string[])[] => {
    const first = [name, paint(isReady ? 'good' : 'bad', reason)];
    if (limits.length === 0) return [[...first, '', 'nothing in use']];
    const shown = limits
      .slice(0, MAX_LIMITS)
      .map((limit, at) => [...(at === 0 ? first : ['', '']), ...limitRow(limit, paint)]);
    const more = limits.length - shown.length;
    return more > 0 ? [...shown, ['', '', '', `and ${more} more`]] : shown;
  });
}

function limitRow({ family, used, limit, namespace, pool }: LimitReport, paint: Paint): readonly string[] {
  const where = [...(namespace ? [`namespace ${namespace}`] : []), ...(pool ? [`pool ${pool}`] : [])].join(', ');
  const count = `${used} of ${limit} ${family}`;
  return [where || 'all together', used >= limit ? paint('warn', count) : count];
}

function nodeRow({ name, hasSpeaker, responder, announces }: NodeReport, paint: Paint): readonly string[] {
  const count = `${announces.length} ${announces.length === 1 ? 'address' : 'addresses'}`;
  const named = announces.slice(0, MAX_ADDRESSES).map(({ address, service }) => `${address} ${service}`);
  const more = announces.length > named.length ? `, and ${announces.length - named.length} more` : '';
  const inKernel = responder?.kind === 'Kernel' ? ', answers in the kernel' : '';
  return [
    name,
    hasSpeaker ? paint('good', `speaker ready${inKernel}`) : paint('bad', 'no speaker'),
    count,
    `${named.join(', ')}${more}`,
  ];
}

const advertisementRows = ({ advertisements }: StatusReport, paint: Paint): readonly (readonly string[])[] =>
  advertisements.map(({ name, kind, isReady, reason, pools }) => [
    name,
    kind,
    paint(isReady ? 'good' : 'bad', reason),
    pools === '' ? 'no pool in force' : `pools: ${pools}`,
  ]);

const peerRows = ({ peers }: StatusReport, paint: Paint): readonly (readonly string[])[] =>
  peers.map(({ name, address, isReady, reason, sessions }) => {
    const up = sessions.filter(({ state }) => state === 'Established').length;
    const known = sessions.length === 0 ? 'no session is known' : `${up} of ${sessions.length} sessions established`;
    return [name, address, paint(isReady ? 'good' : 'bad', reason), known];
  });
