/** What can go wrong between Herald and the API server, told apart by status and reason, never by text. */

/** The reasons that we give ourselves, beside those of `metav1.Status`. */
export type TransportReason = 'ConnectionFailed' | 'Timeout' | 'Aborted' | 'NotJson';

/** A request that failed: the API server refused it, or there was no answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The status code of HTTP; 0 when there was no answer. */
  readonly status: number;
  /** The `reason` of `metav1.Status`, for instance NotFound, Conflict or Expired; a TransportReason when status is 0. */
  readonly reason: string;
  /** How long the API server asks us to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(
    status: number,
    reason: string,
    message: string,
    options: { readonly retryAfterMs?: number | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The object changed since it was read: read it again and decide again. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
  readonly reason = 'Conflict';
}

/** The object does not exist, or no longer, or its kind does not. */
export const isNotFound = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

/** Our rights do not reach so far. */
export const isForbidden = (error: unknown): boolean => error instanceof ApiError && error.status === 403;

/** The resourceVersion is too old to watch or page on from: list again. */
export const isGone = (error: unknown): boolean => error instanceof ApiError && error.status === 410;

/** Somebody was faster: 409, for a changed object as for one that exists already. */
export const isConflict = (error: unknown): boolean => error instanceof ApiError && error.status === 409;

/** `metav1.Status`, as far as it is read. */
interface StatusObject {
  readonly kind?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
}

/** The error that an answer with a bad status means; `body` may be a Status, other JSON or plain text. */
export function apiErrorOf(status: number, body: unknown, what: string, retryAfter?: string): ApiError {
  const { code, reason, message, details } = statusObjectOf(body);
  const seconds = details?.retryAfterSeconds ?? (retryAfter ? Number(retryAfter) : undefined);
  return new ApiError(code ?? status, reason ?? `Http${status}`, `${what}: ${message ?? `status ${status}`}`, {
    retryAfterMs: seconds !== undefined && Number.isFinite(seconds) ? seconds * 1000 : undefined,
  });
}

function statusObjectOf(body: unknown): StatusObject {
  if (typeof body === 'string' && body !== '') return { message: body.slice(0, 300).trim() };
  if (typeof body === 'object' && body !== null && 'kind' in body && body.kind === 'Status')
    return body as StatusObject;
  return {};
}
