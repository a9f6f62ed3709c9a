/** Which waiting Services a change of the books may help, and for which it changes what is to be said. */

import type { DistinctCounter } from './distinct-counter.ts';
import type { Ledger } from './ledger.ts';
import type { Family } from './service-request.ts';
import type { Touches } from './touches.ts';
import type { WaitingClass, WaitingClasses } from './waiting-classes.ts';

const FAMILIES = [4, 6] as const;

/** Whether what opened to a class is open still: until somebody else has taken it. */
export type Opening = () => boolean;

/** Classes to which something opened: room in an area, a quota, an address, a sharing key. */
export function opened(
  touches: Touches,
  ledger: Ledger,
  classes: WaitingClasses,
): ReadonlyMap<WaitingClass, readonly Opening[]> {
  const isOpened = (before: boolean | undefined, now: boolean): boolean => before === false && now;
  return concerned(touches, ledger, classes, isOpened);
}

/** Classes of which another thing may have to be said. */
export function changed(touches: Touches, ledger: Ledger, classes: WaitingClasses): ReadonlySet<WaitingClass> {
  const isChanged = (before: boolean | undefined, now: boolean): boolean => before !== undefined && before !== now;
  return new Set(concerned(touches, ledger, classes, isChanged).keys());
}

function concerned(
  touches: Touches,
  ledger: Ledger,
  classes: WaitingClasses,
  matters: (before: boolean | undefined, now: boolean) => boolean,
): ReadonlyMap<WaitingClass, readonly Opening[]> {
  const found = new Map<WaitingClass, Opening[]>();
  if (classes.isEmpty) return found;
  const add = (some: Iterable<WaitingClass>, opening: Opening = always): void => noteOpening(found, some, opening);
  for (const [area, before] of touches.rooms) {
    const isMoved = FAMILIES.some((family) => matters(before[family], area.firstFree(family) !== undefined));
    if (isMoved) add(classes.forArea(area), () => FAMILIES.some((family) => area.firstFree(family) !== undefined));
  }
  // Where little is left, each address decides what the shares leave to whom.
  for (const [open, before] of touches.abundance)
    if (FAMILIES.some((family) => before[family] === false || (before[family] && !ledger.hasPlenty(open, family))))
      add(classes.forArea(open));
  for (const one of touches.counters) addCounter(one, ledger, classes, matters, add);
  for (const address of touches.addresses) add(classes.forAddress(address));
  for (const key of touches.sharingKeys) add(classes.forSharingKey(key));
  return found;
}

/** Who waits for an external source goes on to the next pool when a quota forbids what was asked for. */
function addCounter(
  [counter, wasFull]: readonly [DistinctCounter, Partial<Record<Family, boolean>>],
  ledger: Ledger,
  classes: WaitingClasses,
  matters: (before: boolean | undefined, now: boolean) => boolean,
  add: (some: Iterable<WaitingClass>, opening?: Opening) => void,
): void {
  const isMoved = FAMILIES.some((family) => {
    const [before, now] = [not(wasFull[family]), !counter.isFull(family)];
    return matters(before, now) || (ledger.hasSources && before === true && !now);
  });
  const isOpen: Opening = () => FAMILIES.some((family) => wasFull[family] && !counter.isFull(family));
  if (isMoved) add(classes.forCounter(counter), ledger.hasSources ? always : isOpen);
}

function noteOpening(found: Map<WaitingClass, Opening[]>, some: Iterable<WaitingClass>, opening: Opening): void {
  for (const one of some) {
    const known = found.get(one);
    if (known) known.push(opening);
    else found.set(one, [opening]);
  }
}

const always: Opening = () => true;

const not = (value: boolean | undefined): boolean | undefined => (value === undefined ? undefined : !value);
