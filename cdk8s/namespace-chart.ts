/** Herald's own namespace. */
import { ApiObject, Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import type { Installation } from './product.ts';

export class NamespaceChart extends Chart {
  constructor(scope: Construct, id: string, { namespace }: Installation) {
    super(scope, id, { disableResourceNameHashes: true });
    // The speaker uses the network of the node and raw sockets, which only this level of Pod Security permits.
    const level = Object.fromEntries(
      ['enforce', 'audit', 'warn'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'privileged']),
    );
    new ApiObject(this, 'namespace', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels: { 'app.kubernetes.io/part-of': 'herald', ...level } },
    });
  }
}
