/** The definitions of all kinds. */
import { ApiObject, Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { customResourceDefinition } from '../crds/definition.ts';
import { kinds } from '../crds/kinds.ts';

export class CrdsChart extends Chart {
  constructor(scope: Construct, id: string) {
    super(scope, id, { disableResourceNameHashes: true });
    for (const kind of kinds) new ApiObject(this, kind.plural, customResourceDefinition(kind));
  }
}
