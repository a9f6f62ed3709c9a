/** `configInline`: MetalLB's configuration inside of Helm values, wherever these are nested (Konvoy, Flux, Argo CD, a ConfigMap). */

import { type FieldPath, fieldOf, readManifests } from '../manifests/manifest.ts';
import { convertConfigFile } from './config-file.ts';
import type { Converted, Destination } from './converted.ts';
import { type Content, Fields } from './fields.ts';
import type { Remarks } from './remarks.ts';

const CONFIG_INLINE = 'configInline';
/** Texts inside of texts that go deeper than this are no values that anybody wrote. */
const MAX_NESTED_TEXTS = 4;

/** Adds what every `configInline` below `content` becomes. @returns whether there is one */
export function convertInline(content: Content, to: Destination, out: Converted, depth = MAX_NESTED_TEXTS): boolean {
  const { value } = content;
  if (typeof value === 'string') return convertText(value, content, to, out, depth);
  const found = membersOf(content).map(([key, member]) => {
    if (key !== CONFIG_INLINE) return convertInline(member, to, out, depth);
    const inner = typeof member.value === 'string' ? innerOf(member.value, member, out) : member;
    if (inner) convertConfigFile(new Fields(inner, out.remarks), to, out);
    noteOtherValues(new Fields(content, out.remarks));
    return true;
  });
  return found.includes(true);
}

function convertText(text: string, content: Content, to: Destination, out: Converted, depth: number): boolean {
  if (depth === 0 || !text.includes(`${CONFIG_INLINE}:`)) return false;
  const inner = innerOf(text, content, out);
  return inner !== undefined && convertInline(inner, to, out, depth - 1);
}

function membersOf(content: Content): readonly (readonly [string | number, Content])[] {
  const { value, path } = content;
  const members = Array.isArray(value) ? [...value.entries()] : Object.entries(value ?? {});
  return members.map(([key, member]) => [key, { ...content, value: member, path: [...path, key] }] as const);
}

const innerOf = (text: string, { path, placeOf }: Content, out: Converted): Content | undefined =>
  innerContent(text, path, placeOf, out.remarks);

/** YAML inside of a text. @returns undefined when it cannot be read, which is then an error */
export function innerContent(
  text: string,
  path: FieldPath,
  placeOf: Content['placeOf'],
  remarks: Remarks,
): Content | undefined {
  const outer = placeOf(path);
  const within = (line: number): string => `${outer}, line ${line} of ${fieldOf(path)}`;
  const { manifests, problems } = readManifests([{ name: '', text }]);
  for (const { line, message } of problems) remarks.error(within(line), message);
  if (problems.length > 0) return undefined;
  const [inner] = manifests;
  return { value: inner?.content ?? {}, path: [], placeOf: (way) => within(inner?.placeOf(way).line ?? 1) };
}

/** Says what became of the values beside, which belong to the installation; by name where Herald has the same. */
function noteOtherValues(values: Fields): void {
  values.has(CONFIG_INLINE);
  const lbClass = values.text('loadBalancerClass');
  if (lbClass !== undefined)
    values.note('loadBalancerClass', `belongs to the installation: start Herald with --lb-class=${lbClass}`);
  const [first, ...others] = values.unread();
  if (first === undefined) return;
  const who = others.length > 0 ? `and ${others.join(', ')} belong` : 'belongs';
  values.note(first, `${who} to the installation of MetalLB; docs/cli.md lists the settings of Herald`);
}
