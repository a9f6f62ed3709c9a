// Who may import whom (docs/architecture.md): imports point down or sideways within a folder, never up.
const PURE = '^operator/(net|protocols|config|allocator|election|advertising)/';
const ROLES = 'reconcilers|speaker|control-plane|cli|dashboard';
const TEST = '\\.(test|e2e)\\.ts$';

module.exports = {
  forbidden: [
    {
      name: 'crds-stand-alone',
      comment: 'crds/ is the API; it may be published alone.',
      severity: 'error',
      from: { path: '^crds/' },
      to: { path: '^(operator|cdk8s|e2e|bench)/' },
    },
    {
      name: 'manifests-know-only-the-words',
      comment: 'cdk8s/ renders what crds/ says; settings that both need belong there.',
      severity: 'error',
      from: { path: '^cdk8s/', pathNot: TEST },
      to: { path: '^(operator|e2e|bench)/' },
    },
    {
      name: 'pure-has-no-io',
      comment: 'A pure folder reads no clock, file, socket or cluster: pass the value in.',
      severity: 'error',
      from: { path: PURE, pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-no-pkg', 'unknown'], pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'pure-imports-pure',
      comment: 'What is pure stays pure only when its imports are.',
      severity: 'error',
      from: { path: PURE, pathNot: '\\.test\\.ts$' },
      to: { path: '^operator/', pathNot: PURE },
    },
    {
      name: 'drivers-know-no-decisions',
      comment: 'cluster/, host/, sources/ and observability/ do I/O; only roles know both.',
      severity: 'error',
      from: { path: '^operator/(cluster|host|sources|observability)/', pathNot: '\\.test\\.ts$' },
      to: { path: `^operator/(config|allocator|election|advertising|roles|${ROLES})/` },
    },
    {
      name: 'one-door-to-the-cluster',
      comment: 'Only cluster/ knows the client libraries.',
      severity: 'error',
      from: { path: '^operator/', pathNot: '^operator/cluster/' },
      to: { path: '(@kubernetes/client-node|@dot-i/k8s-operator)' },
    },
    {
      name: 'one-file-knows-the-base-class',
      comment: 'Of the base class only a few methods are sound; operator.ts names them.',
      severity: 'error',
      from: { path: '^operator/', pathNot: '^operator/cluster/operator(\\.test)?\\.ts$' },
      to: { path: '@dot-i/k8s-operator' },
    },
    {
      name: 'one-door-to-the-kernel',
      comment: 'Unsafe code lives in one reviewed folder.',
      severity: 'error',
      from: { path: '^operator/', pathNot: '^operator/host/|\\.test\\.ts$' },
      to: { path: 'koffi' },
    },
    {
      name: 'tests-are-leaves',
      comment: 'Shared builders live in testing/.',
      severity: 'error',
      from: {},
      to: { path: TEST },
    },
    {
      name: 'roles-are-strangers',
      comment: 'Two processes; what they share sinks to a lower layer.',
      severity: 'error',
      from: { path: `^operator/(${ROLES})/` },
      to: { path: `^operator/(${ROLES})/`, pathNot: '^operator/$1/' },
    },
    {
      name: 'proofs-stay-outside',
      comment: 'e2e/ and bench/ drive the built product from outside.',
      severity: 'error',
      from: { path: '^(e2e|bench)/' },
      to: { path: '^operator/', pathNot: '^operator/(net|main)' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: { tsPreCompilationDeps: true, doNotFollow: { path: 'node_modules' }, parser: 'swc' },
};
