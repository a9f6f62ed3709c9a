/**
 * Who may read the metrics: the bearer token is reviewed by the API server, as kube-rbac-proxy and MetalLB do it.
 * The caller needs `get` on the non-resource URL /metrics; we need `create` on tokenreviews and subjectaccessreviews.
 */

import { createHash } from 'node:crypto';
import type { Logger } from './log.ts';

/** The part of the connection to the API server that a review needs. */
export interface ReviewConnection {
  request<T>(request: { method: 'POST'; path: string; body: unknown; timeoutMs: number }): Promise<T>;
}

export type Access = 'Allowed' | 'Unauthenticated' | 'Forbidden' | 'Unavailable';

interface TokenReview {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly user?: {
      readonly username?: string;
      readonly uid?: string;
      readonly groups?: readonly string[];
      readonly extra?: Readonly<Record<string, readonly string[]>>;
    };
  };
}
interface SubjectAccessReview {
  readonly status?: { readonly allowed?: boolean };
}

const REVIEW_TIMEOUT_MS = 5_000;
/** An answer is used again for so long: a withdrawn right ends this late, and a scraper costs two requests a minute. */
const REMEMBERED_FOR_MS = 60_000;
/** Strangers must not make us flood the API server, nor fill our memory. */
const MAX_REVIEWS_AT_ONCE = 4;
const MAX_REMEMBERED = 256;

export interface MetricsAccessOptions {
  readonly connection: ReviewConnection;
  readonly log: Logger;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/** Decides about one caller by its Authorization header. */
export class MetricsAccess {
  readonly #options: Required<MetricsAccessOptions>;
  /** By digest, so that no token lies in memory for longer than its request. */
  readonly #remembered = new Map<string, { access: Access; until: number }>();
  #underWay = 0;

  constructor(options: MetricsAccessOptions) {
    this.#options = { now: () => performance.now(), ...options };
  }

  async decide(authorization: string | undefined): Promise<Access> {
    const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return 'Unauthenticated';
    const digest = createHash('sha256').update(token).digest('base64');
    const known = this.#remembered.get(digest);
    if (known && known.until > this.#options.now()) return known.access;
    if (this.#underWay >= MAX_REVIEWS_AT_ONCE) return 'Unavailable';

    this.#underWay += 1;
    try {
      const access = await this.#review(token);
      this.#remember(digest, access);
      return access;
    } catch (error) {
      this.#options.log.warn('metrics access not reviewed', { error });
      return 'Unavailable';
    } finally {
      this.#underWay -= 1;
    }
  }

  async #review(token: string): Promise<Access> {
    const { status } = await this.#post<TokenReview>('authentication.k8s.io', 'TokenReview', { token });
    if (!status?.authenticated || !status.user) return 'Unauthenticated';
    const { username, uid, groups, extra } = status.user;
    const { status: verdict } = await this.#post<SubjectAccessReview>('authorization.k8s.io', 'SubjectAccessReview', {
      user: username,
      ...(uid && { uid }),
      ...(groups && { groups }),
      ...(extra && { extra }),
      nonResourceAttributes: { path: '/metrics', verb: 'get' },
    });
    return verdict?.allowed ? 'Allowed' : 'Forbidden';
  }

  #post<T>(group: string, kind: string, spec: unknown): Promise<T> {
    return this.#options.connection.request<T>({
      method: 'POST',
      path: `/apis/${group}/v1/${kind.toLowerCase()}s`,
      body: { apiVersion: `${group}/v1`, kind, spec },
      timeoutMs: REVIEW_TIMEOUT_MS,
    });
  }

  #remember(digest: string, access: Access): void {
    const oldest = this.#remembered.keys().next();
    if (this.#remembered.size >= MAX_REMEMBERED && !oldest.done) this.#remembered.delete(oldest.value);
    this.#remembered.delete(digest);
    this.#remembered.set(digest, { access, until: this.#options.now() + REMEMBERED_FOR_MS });
  }
}
