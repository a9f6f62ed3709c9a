/** Tells advertisements, peers, reservations and quotas what was decided about them, and what is in use of the last two. */

import type { Outcome, Reconciler } from '../cluster/controller.ts';
import { isSame } from '../cluster/status-writer.ts';
import { asOne, objectRef, type Verdict, type VerdictCondition } from '../config/verdict.ts';
import type { AddressBook } from './address-book.ts';
import { CalmPace } from './calm-pace.ts';
import type { ConfigKeeper } from './config-keeper.ts';
import type { JudgedKind } from './judged-kinds.ts';
import { LOOK_AGAIN, OwnWrites } from './own-writes.ts';
import { type CommonStatus, commonStatusOf, type JudgedObject } from './verdict-status.ts';
import type { World } from './world.ts';

const DONE: Outcome = { next: 'WaitForChange' };

export class ConditionsReconciler implements Reconciler {
  readonly name: string;
  readonly #world: World;
  readonly #keeper: ConfigKeeper;
  readonly #book: AddressBook;
  readonly #kind: JudgedKind;
  readonly #writes = new OwnWrites();
  readonly #pace: CalmPace;

  constructor(world: World, keeper: ConfigKeeper, book: AddressBook, kind: JudgedKind) {
    this.name = kind.name;
    this.#world = world;
    this.#keeper = keeper;
    this.#book = book;
    this.#kind = kind;
    this.#pace = new CalmPace(() => world.clock());
  }

  async reconcile(key: string): Promise<Outcome> {
    const { resource, store, counting } = this.#kind;
    const object = store.get(key);
    if (!object) this.#forget(key);
    const ref = object && objectRef(resource.kind, object.metadata);
    const verdict = ref && this.#keeper.verdictOf(ref, object.metadata);
    if (!object || !verdict) return DONE; // deleted, or not looked at yet
    if (this.#writes.isReplaced(object)) return LOOK_AGAIN;
    const counted = this.#keeper.isLoaded ? counting?.(key, this.#book, this.#keeper.config) : undefined;
    const common = commonStatusOf(object, withWarning(verdict, counted?.warning), this.#world.now());
    const pools = this.#keeper.coverageOf(ref);
    const status = { ...common, ...(pools !== undefined && { pools }), ...counted?.counters };
    const isCounting = counted && isJudged(object, common) && !isSame(object.status, status);
    const waitMs = isCounting ? this.#pace.waitOf(key) : 0;
    if (waitMs > 0) return { next: 'RetryAfter', milliseconds: waitMs, because: 'counters are written at a calm pace' };
    return this.#write(object, key, status);
  }

  async #write(object: JudgedObject, key: string, status: CommonStatus): Promise<Outcome> {
    const result = await this.#world.applyStatus(object, this.#kind.resource, { status });
    if (result === 'Written') {
      this.#writes.wrote(object);
      this.#pace.wrote(key);
    } else this.#pace.isCurrent(key);
    return DONE;
  }

  #forget(key: string): void {
    this.#writes.forget(key);
    this.#pace.forget(key);
  }
}

/** What is in use may be a warning beside those of the verdict. */
function withWarning({ conditions }: Verdict, warning: VerdictCondition | undefined): Verdict {
  if (!warning) return { conditions };
  const isWarning = ({ type }: VerdictCondition): boolean => type === warning.type;
  const others = conditions.filter((one) => !isWarning(one));
  return { conditions: [...others, ...asOne([...conditions.filter(isWarning), warning])] };
}

/** Whether the status says what was decided about this spec: what is missing then are counters and their warning. */
function isJudged({ status }: JudgedObject, { observedGeneration, conditions }: CommonStatus): boolean {
  const decided = (all: JudgedObject['status'] | CommonStatus): readonly unknown[] =>
    (all?.conditions ?? []).filter(({ type }) => type !== 'Conflicting');
  const seen = (status as Partial<CommonStatus> | undefined)?.observedGeneration;
  return seen === observedGeneration && isSame(decided(status), decided({ observedGeneration, conditions }));
}
