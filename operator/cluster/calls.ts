/** What a request is to the API server's authorization: a verb on a resource. */

/** As in a rule of RBAC: `patch` on `services/status`, `get` on `poolsets.heraldlb.io`. */
export interface Call {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';
  /** Plural name, group where there is one, subresource where there is one. */
  readonly resource: string;
}

const VERBS = { POST: 'create', PUT: 'update', PATCH: 'patch' } as const;
const PATH =
  /^\/(?:api|apis\/(?<group>[^/]+))\/[^/]+\/(?:namespaces\/[^/]+\/(?=[^/]+))?(?<plural>[^/]+)(?:\/(?<name>[^/]+))?(?:\/(?<subresource>[^/]+))?$/;

/** Undefined for a path that is no resource, such as /readyz. */
export function callOf(
  { method, path }: { readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'; readonly path: string },
  isWatch = false,
): Call | undefined {
  const { group, plural, name, subresource } = PATH.exec(path)?.groups ?? {};
  if (plural === undefined) return undefined;
  const resource = `${plural}${group ? `.${group}` : ''}${subresource ? `/${subresource}` : ''}`;
  return { verb: verbOf(method, name !== undefined, isWatch), resource };
}

function verbOf(method: keyof typeof VERBS | 'GET' | 'DELETE', isOne: boolean, isWatch: boolean): Call['verb'] {
  if (method === 'DELETE') return isOne ? 'delete' : 'deletecollection';
  if (method !== 'GET') return VERBS[method];
  return isWatch ? 'watch' : isOne ? 'get' : 'list';
}
