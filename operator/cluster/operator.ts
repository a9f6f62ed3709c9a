/**
 * The operator on the base class of @dot-i/k8s-operator, of which only the constructor, `start`, `stop` and the shape
 * of `watchResource` are used: its own watch ends the process on any error, misses deletions in a gap and knows no
 * bookmarks; its other calls have the signatures of an older client.
 */

import k8sOperator, { type ResourceEvent } from '@dot-i/k8s-operator';
import type { Logger } from '../observability/log.ts';
import type { Change } from './informer.ts';
import type { KubernetesObject } from './objects.ts';
import type { ResourceAddress } from './resource.ts';

/** The part of an informer that the operator needs, whatever its objects are. */
export interface RunnableInformer {
  readonly resource: ResourceAddress;
  onChange(listener: (change: Change<KubernetesObject>) => void): void;
  run(signal: AbortSignal): Promise<void>;
}

export interface HeraldOperatorParts {
  readonly log: Logger;
  readonly informers: readonly RunnableInformer[];
  /** When the informers shall run; missing: at once. */
  readonly mayList?: Promise<void>;
  /** The work itself: begins at once, and ends when `signal` aborts. */
  readonly work: (signal: AbortSignal) => Promise<void>;
}

// The package is CommonJS: what Node calls its default export is the module, whose `default` is the class.
export class HeraldOperator extends k8sOperator.default {
  readonly #parts: HeraldOperatorParts;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>[] = [];

  /** The base class reads the kubeconfig (KUBECONFIG, the home directory, the pod) and sends nothing. */
  constructor(parts: HeraldOperatorParts) {
    super(parts.log);
    this.#parts = parts;
  }

  /** Ends the watches and the work; `stopped` tells when that has happened. */
  override stop(): void {
    this.#stopping.abort();
    super.stop();
  }

  /** Resolves when nothing runs any more. @throws what the work threw */
  async stopped(): Promise<void> {
    // More may begin while the first ones end.
    for (let count = 0; count < this.#running.length; ) {
      count = this.#running.length;
      await Promise.all(this.#running);
    }
  }

  protected override async init(): Promise<void> {
    this.#running.push(this.#watchAll(), this.#parts.work(this.#stopping.signal));
  }

  async #watchAll(): Promise<void> {
    const { informers, mayList, log } = this.#parts;
    await mayList;
    for (const { resource } of informers) {
      const { group, version, plural } = resource;
      await this.watchResource(group, version, plural, async ({ type, meta }) => log.debug('seen', { type, ...meta }));
    }
  }

  /** Runs our informer of the resource instead of the watch of the base class. */
  protected override async watchResource(
    group: string,
    version: string,
    plural: string,
    onEvent: (event: ResourceEvent) => Promise<void>,
  ): Promise<void> {
    const informer = this.#parts.informers.find(
      ({ resource }) => resource.group === group && resource.version === version && resource.plural === plural,
    );
    if (!informer) throw new Error(`no informer for ${plural}.${group}/${version}`);
    informer.onChange((change) => {
      onEvent(eventOf(plural, change)).catch((error) => this.#parts.log.error('event handler failed', { error }));
    });
    this.#running.push(informer.run(this.#stopping.signal));
  }
}

/** A change in the words of the base class. */
function eventOf(plural: string, { before, after }: Change<KubernetesObject>): ResourceEvent {
  const object = (after ?? before) as Required<KubernetesObject>;
  const { name, namespace, resourceVersion = '' } = object.metadata;
  const { apiVersion, kind } = object;
  const type = after ? (before ? 'MODIFIED' : 'ADDED') : 'DELETED';
  return {
    meta: { id: `${plural}.${apiVersion}`, name, resourceVersion, apiVersion, kind, ...(namespace && { namespace }) },
    type: type as ResourceEvent['type'],
    object: object as unknown as ResourceEvent['object'],
  };
}
