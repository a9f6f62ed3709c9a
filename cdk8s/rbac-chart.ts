/** ServiceAccounts, roles and bindings of one installation. */
import { ApiObject, Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { type Installation, labelsOf, nameOf, ROLES, type Role } from './product.ts';
import { rights } from './rights.ts';

const RBAC = 'rbac.authorization.k8s.io/v1';

export class RbacChart extends Chart {
  constructor(scope: Construct, id: string, { namespace }: Installation) {
    super(scope, id, { disableResourceNameHashes: true });
    for (const role of ROLES) addRights(this, role, namespace);
  }
}

function addRights(chart: Chart, role: Role, namespace: string): void {
  const name = nameOf(role);
  const labels = labelsOf(role);
  const subjects = [{ kind: 'ServiceAccount', name, namespace }];
  const local = { name, namespace, labels };
  // Cluster-wide names carry the namespace, so that two installations never share or delete each other's rights.
  const wide = { name: `${namespace}:${name}`, labels };
  const add = (kind: string, object: object) => new ApiObject(chart, `${role}-${kind}`, { kind, ...object } as never);

  add('ServiceAccount', { apiVersion: 'v1', metadata: local });
  add('ClusterRole', { apiVersion: RBAC, metadata: wide, rules: rights[role].cluster });
  add('ClusterRoleBinding', { apiVersion: RBAC, metadata: wide, subjects, roleRef: refTo('ClusterRole', wide.name) });
  add('Role', { apiVersion: RBAC, metadata: local, rules: rights[role].ownNamespace });
  add('RoleBinding', { apiVersion: RBAC, metadata: local, subjects, roleRef: refTo('Role', name) });
}

const refTo = (kind: string, name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name });
