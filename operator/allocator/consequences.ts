/** Which waiting Services a change of the books may help, and for which it changes what is to be said. */

import type { Ledger } from './ledger.ts';
import type { Touches } from './touches.ts';
import type { WaitingClass, WaitingClasses } from './waiting-classes.ts';

const FAMILIES = [4, 6] as const;

/** Classes to which something opened: room in an area, a quota, an address, a sharing key. */
export function opened(touches: Touches, ledger: Ledger, classes: WaitingClasses): ReadonlySet<WaitingClass> {
  const isOpened = (before: boolean | undefined, now: boolean): boolean => before === false && now;
  return concerned(touches, ledger, classes, isOpened);
}

/** Classes of which another thing may have to be said. */
export function changed(touches: Touches, ledger: Ledger, classes: WaitingClasses): ReadonlySet<WaitingClass> {
  const isChanged = (before: boolean | undefined, now: boolean): boolean => before !== undefined && before !== now;
  return concerned(touches, ledger, classes, isChanged);
}

function concerned(
  touches: Touches,
  ledger: Ledger,
  classes: WaitingClasses,
  matters: (before: boolean | undefined, now: boolean) => boolean,
): ReadonlySet<WaitingClass> {
  const found = new Set<WaitingClass>();
  if (classes.isEmpty) return found;
  const add = (some: Iterable<WaitingClass>): void => {
    for (const one of some) found.add(one);
  };
  for (const [area, before] of touches.rooms) {
    const isMoved = FAMILIES.some((family) => matters(before[family], area.firstFree(family) !== undefined));
    if (isMoved) add(classes.forArea(area));
  }
  // Where little is left, each address decides what the shares leave to whom.
  for (const [open, before] of touches.abundance)
    if (FAMILIES.some((family) => before[family] === false || (before[family] && !ledger.hasPlenty(open, family))))
      add(classes.forArea(open));
  for (const [counter, wasFull] of touches.counters) {
    const isMoved = FAMILIES.some((family) => {
      const [before, now] = [not(wasFull[family]), !counter.isFull(family)];
      // Who waits for an external source goes on to the next pool when a quota forbids what was asked for.
      return matters(before, now) || (ledger.hasSources && before === true && !now);
    });
    if (isMoved) add(classes.forCounter(counter));
  }
  for (const address of touches.addresses) add(classes.forAddress(address));
  for (const key of touches.sharingKeys) add(classes.forSharingKey(key));
  return found;
}

const not = (value: boolean | undefined): boolean | undefined => (value === undefined ? undefined : !value);
