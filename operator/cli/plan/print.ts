/** Prints a plan for people: as text for a terminal, as Markdown for a pull request. */

import { type Paint, type Tone, table } from '../output.ts';
import type { ObjectOutcome } from './object-outcome.ts';
import type { Disruption, NodeOutcome, Plan } from './plan.ts';
import type { OwnerChange, ServiceOutcome } from './service-outcome.ts';

const SIGNS = { Create: '+', Change: '~', Delete: '-', Keep: ' ' } as const;

export function planText(plan: Plan, paint: Paint): string {
  const { objects, services, ifAllowed, nodes, notes } = plan;
  const parts = [
    section('Configuration', objectRows(objects, paint), paint),
    section('Services', serviceRows(services, paint), paint),
    section('Services, if it is allowed', serviceRows(ifAllowed, paint), paint),
    section('Addresses that nodes answer for', nodes.map(nodeRow), paint),
    `${summary(plan)}\n${notes.map((note) => `Note: ${note}\n`).join('')}`,
  ];
  return parts.filter(Boolean).join('\n');
}

const section = (title: string, rows: readonly (readonly string[])[], paint: Paint): string =>
  rows.length === 0 ? '' : `${paint('strong', title)}\n${table([], rows, '  ')}`;

function objectRows(objects: readonly ObjectOutcome[], paint: Paint): readonly (readonly string[])[] {
  return objects.map((one) => {
    const sign = `${one.isRefused ? '!' : SIGNS[one.action]} ${one.kind} ${one.key}`;
    const tone: Tone = one.isRefused ? 'bad' : one.action === 'Delete' ? 'warn' : 'good';
    return [paint(one.action === 'Keep' && !one.isRefused ? 'quiet' : tone, sign), one.fields.join(', '), wordOf(one)];
  });
}

function wordOf({ verdict, isRefused, action }: ObjectOutcome): string {
  if (action === 'Delete') return 'deleted';
  if (!verdict) return '';
  const { ready, reason, message } = verdict;
  return ready === 'True' ? reason : `${isRefused ? 'refused: ' : ''}${reason}: ${message}`;
}

function serviceRows(services: readonly ServiceOutcome[], paint: Paint): readonly (readonly string[])[] {
  return services.flatMap((one) => {
    const hasMoved = one.before.join() !== one.after.join() || one.owners.length === 0;
    const kept = one.owners.filter(({ address }) => one.before.includes(address));
    const rows = kept.map((owner) => ownerRow(one, owner, paint));
    if (!hasMoved) return rows;
    const [sign, tone] = signOf(one);
    const why = [one.because, ...newOwners(one)].filter(Boolean).join('; ');
    return [[paint(tone, `${sign} ${one.service}`), addressesWord(one), why], ...rows];
  });
}

/** Who answers for the addresses that are new. */
function newOwners({ before, owners }: ServiceOutcome): readonly string[] {
  const fresh = owners.filter(({ address }) => !before.includes(address));
  const told = fresh.map(({ after, because }) => `answered for by ${after ?? `nobody: ${because ?? ''}`}`);
  return [...new Set(told)];
}

function signOf({ before, after, isBroken }: ServiceOutcome): readonly [string, Tone] {
  if (after.length === 0) return before.length === 0 ? ['!', 'bad'] : ['-', 'bad'];
  if (before.length === 0) return ['+', 'good'];
  return ['~', isBroken ? 'bad' : 'warn'];
}

const addressesWord = ({ before, after }: ServiceOutcome): string =>
  [before, after]
    .filter((list, at) => at === 1 || list.length > 0)
    .map((list) => list.join(', ') || 'no address')
    .join(' -> ');

function ownerRow({ service }: ServiceOutcome, owner: OwnerChange, paint: Paint): readonly string[] {
  const { address, before, after, because = '' } = owner;
  const sign = paint(before && !after ? 'bad' : 'warn', `${before && !after ? '-' : '>'} ${service}`);
  const move = `${before ?? 'nobody'} -> ${after ?? 'nobody'}`;
  return [sign, address, `answered for by ${move}${because ? `: ${because}` : ''}`];
}

const nodeRow = ({ node, before, after }: NodeOutcome): readonly string[] => [node, `${before} -> ${after}`];

function summary({ outcome, services, ifAllowed, unchangedServices, disruptions, objects }: Plan): string {
  if (outcome === 'Nothing') return `Nothing changes: ${countOf(unchangedServices, 'Service')} as before.`;
  const broken = services.filter(({ isBroken }) => isBroken).length;
  const refused = objects.filter((one) => one.isRefused).length - disruptions.length;
  const sentences = [
    `${countOf(unchangedServices, 'Service')} unchanged.`,
    broken > 0 && `${countOf(broken, 'Service')} would lose an address or whoever answers for it.`,
    refused > 0 && `The operator will refuse ${countOf(refused, 'object')}.`,
    disruptions.length > 0 && disruptionSentence(disruptions, ifAllowed.filter(({ isBroken }) => isBroken).length),
  ];
  return sentences.filter(Boolean).join(' ');
}

function disruptionSentence(disruptions: readonly Disruption[], broken: number): string {
  const would = `${broken} would break: the operator will refuse this change unless`;
  const allowed = disruptions.map(
    ({ pool, annotation, hash }) => `IPAddressPool ${pool} has the annotation ${annotation}: "${hash}"`,
  );
  return `${would} ${allowed.join(' and ')}.`;
}

const countOf = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

const HEADLINES = {
  Nothing: 'Nothing changes',
  Changes: 'Nothing breaks',
  Breaks: 'This change breaks something',
} as const;

/** A comment for a pull request. */
export function planMarkdown(plan: Plan): string {
  const { objects, services, ifAllowed, nodes, notes, outcome } = plan;
  const plain: Paint = (_, text) => text;
  const parts = [
    `### Herald: ${HEADLINES[outcome]}\n`,
    markdownTable(['Configuration', 'Fields', 'Then'], objectRows(objects, plain)),
    markdownTable(['Service', 'Address', 'Why'], serviceRows(services, plain)),
    markdownTable(['Service, if it is allowed', 'Address', 'Why'], serviceRows(ifAllowed, plain)),
    markdownTable(['Node', 'Addresses that it answers for'], nodes.map(nodeRow)),
    `${summary(plan)}\n`,
    notes.map((note) => `> ${note}\n`).join(''),
  ];
  return parts.filter(Boolean).join('\n');
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]): string => `| ${cells.map(cellOf).join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}

/** The signs would begin lists, and bars would end cells. */
const cellOf = (text: string): string =>
  text
    .trim()
    .replaceAll('|', '\\|')
    .replace(/^([+~\-!>]) /, '`$1` ');
