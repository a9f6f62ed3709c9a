/** Communities by value (RFC 1997, RFC 8092) and by the names that Community objects give them. */

import type { Community } from '../../crds/community.ts';
import { reasons } from '../../crds/reasons.ts';
import { byAge } from './scope.ts';
import { accepted, condition, type ObjectRef, objectRef, type Refusal, refused, type Verdict } from './verdict.ts';

const MAX_U16 = 0xffff;
const MAX_U32 = 0xffff_ffff;

/** What is wrong with the text of a community, as the end of a sentence; undefined: `64512:100` or `large:64512:1:2`. */
export function communityProblem(text: string): string | undefined {
  const isLarge = text.startsWith('large:');
  const parts = (isLarge ? text.slice('large:'.length) : text).split(':');
  const [count, max] = isLarge ? [3, MAX_U32] : [2, MAX_U16];
  if (parts.length !== count || parts.some((part) => !/^\d+$/.test(part)))
    return 'is neither a community like 64512:100 nor a large one like large:64512:1:2';
  return parts.some((part) => Number(part) > max) ? `has a part above ${max}` : undefined;
}

/** Which names there are, and what each object of the kind is told. */
export interface CommunityNames {
  readonly names: ReadonlySet<string>;
  readonly verdicts: ReadonlyMap<ObjectRef, Verdict>;
}

/** Of two objects that define one name the older counts; the other is disabled as a whole. */
export function judgeCommunities(objects: readonly Community[]): CommunityNames {
  const definedBy = new Map<string, Community>();
  const verdicts = new Map<ObjectRef, Verdict>();
  for (const object of objects.toSorted(byAge)) {
    const refusal = specProblem(object) ?? duplicateOf(object, definedBy);
    verdicts.set(objectRef('Community', object.metadata), refusal ? refused(refusal) : defined());
    if (!refusal) for (const { name = '' } of object.spec?.communities ?? []) definedBy.set(name, object);
  }
  return { names: new Set(definedBy.keys()), verdicts };
}

function specProblem({ spec = {} }: Community): Refusal | undefined {
  const problems: string[] = [];
  const names = new Set<string>();
  for (const [at, { name = '', value = '' }] of (spec.communities ?? []).entries()) {
    if (name === '') problems.push(`spec.communities[${at}] has no name.`);
    else if (names.has(name)) problems.push(`spec.communities defines "${name}" twice.`);
    names.add(name);
    const problem = communityProblem(value);
    if (problem !== undefined) problems.push(`spec.communities[${at}].value "${value}" ${problem}.`);
  }
  return problems.length === 0 ? undefined : { reason: 'InvalidSpec', message: problems.join(' ') };
}

function duplicateOf({ spec = {} }: Community, definedBy: ReadonlyMap<string, Community>): Refusal | undefined {
  for (const { name = '' } of spec.communities ?? []) {
    const other = definedBy.get(name);
    if (other)
      return {
        reason: 'DuplicateCommunity',
        message: `"${name}" is defined by the older Community ${other.metadata.namespace}/${other.metadata.name}.`,
      };
  }
  return undefined;
}

const defined = (): Verdict => ({
  conditions: [condition('Ready', 'True', 'Defined', reasons.Ready.Defined), accepted()],
});
