import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import type { Surroundings } from './common.ts';
import { helpText } from './help.ts';
import { nearest } from './nearest.ts';
import { operatorFlags, readOperatorSettings } from './operator.ts';
import { SettingsError } from './read.ts';
import { readSpeakerSettings, speakerFlags } from './speaker.ts';

/** A pod of the cluster, as Kubernetes starts it. */
function pod(args: readonly string[], env: Record<string, string> = {}): Surroundings {
  return {
    args,
    env: { KUBERNETES_SERVICE_HOST: '10.96.0.1', METALLB_NODE_NAME: 'node-a', ...env },
    hostname: 'herald-0',
    readFile: () => 'herald-system\n',
  };
}

const mistakesOf = async (surroundings: Surroundings): Promise<readonly string[]> =>
  (await rejection(SettingsError, () => readSpeakerSettings(surroundings))).mistakes;

spec('settings', (test) => {
  test('of the operator have the documented defaults', () => {
    assert.equal(readOperatorSettings(pod([])), {
      namespace: 'herald-system',
      configNamespaces: ['herald-system', 'metallb-system'],
      podName: 'herald-0',
      lbClass: '',
      logLevel: 'info',
      metricsPort: 9120,
      metricsBindAddress: '',
      healthProbePort: 17_472,
      breakingChanges: 'refuse',
      serviceAnnouncements: 'auto',
    });
  });

  test('of the speaker have the documented defaults', () => {
    const { nodeName, ignoreExcludeLb, heartbeat, excludeInterfaces } = readSpeakerSettings(pod([]));
    assert.equal(
      { nodeName, ignoreExcludeLb, heartbeat },
      {
        nodeName: 'node-a',
        ignoreExcludeLb: false,
        heartbeat: { port: 7946, intervalMs: 100, missed: 3 },
      },
    );
    const excluded = new RegExp(excludeInterfaces);
    assert.equal(
      ['lo', 'veth12ab', 'cni0', 'docker0'].filter((name) => !excluded.test(name)),
      [],
    );
    assert.equal(
      ['eth0', 'bond0', 'low', 'br-lan'].filter((name) => excluded.test(name)),
      [],
    );
  });

  test('of the speaker choose how soon a silent node is taken over', () => {
    const intervalOf = (...args: string[]): number => readSpeakerSettings(pod(args)).heartbeat.intervalMs;
    assert.is(intervalOf('--failure-detection=fast'), 50);
    assert.is(intervalOf('--failure-detection=fast', '--heartbeat-interval-ms=200'), 200);
    const mistakes = (): unknown => readSpeakerSettings(pod(['--failure-detection=slow', '--heartbeat-interval-ms=1']));
    assert.throws(mistakes, /--failure-detection=slow must be one of normal, fast/);
    assert.throws(mistakes, /--heartbeat-interval-ms=1 must be a whole number from 20 to 5000/);
  });

  test('of the speaker ask kube-proxy unless told otherwise', () => {
    const urlOf = (...args: string[]): string | undefined => readSpeakerSettings(pod(args)).kubeProxyMetrics;
    assert.is(urlOf(), 'http://127.0.0.1:10249/metrics');
    assert.is(urlOf('--kube-proxy-metrics='), undefined);
    assert.throws(() => urlOf('--kube-proxy-metrics=localhost'), /must be a URL that begins with http/);
  });

  test("take MetalLB's flags in both forms, and its variables", () => {
    const settings = readSpeakerSettings(
      pod(['--port=7472', '--log-level', 'debug', '--ignore-exclude-lb', '--lb-class', 'metallb'], {
        METALLB_NAMESPACE: 'metallb-system',
        METALLB_POD_NAME: 'speaker-x',
        METALLB_ML_BIND_ADDR: '2001:db8::1',
        METALLB_ML_BIND_PORT: '7000',
      }),
    );
    assert.is(settings.metricsPort, 7472);
    assert.is(settings.logLevel, 'debug');
    assert.is(settings.ignoreExcludeLb, true);
    assert.is(settings.lbClass, 'metallb');
    assert.is(settings.podName, 'speaker-x');
    assert.equal(settings.configNamespaces, ['metallb-system']);
    assert.equal(settings.heartbeat, { bindAddress: '2001:db8::1', port: 7000, intervalMs: 100, missed: 3 });
  });

  test('prefer a flag to the environment, and take an empty variable as unset', () => {
    const env = { METALLB_ML_BIND_PORT: '7000', METALLB_NODE_NAME: 'from-env', HERALD_HEARTBEAT_MISSED: '' };
    const { nodeName, heartbeat } = readSpeakerSettings(pod(['--node-name=from-flag'], env));
    assert.equal([nodeName, heartbeat.port, heartbeat.missed], ['from-flag', 7000, 3]);
  });

  test('list every mistake at once', async () => {
    const mistakes = await mistakesOf({
      args: ['--port=70000', '--heartbeat-intervall-ms=50', '--ml-bindaddr=eth0', '--log-level', 'loud', 'stray'],
      env: { METALLB_ML_BIND_PORT: 'abc' },
      hostname: 'x',
      readFile: () => undefined,
    });
    assert.equal([...mistakes].toSorted(), [
      '--heartbeat-intervall-ms does not exist: did you mean --heartbeat-interval-ms?',
      '--kubeconfig is missing: outside of a pod set it, or KUBECONFIG, to reach the API server',
      '--log-level=loud must be one of all, debug, info, warn, error, none',
      '--ml-bindaddr=eth0 must be an IPv4 or IPv6 address',
      '--namespace is missing: outside of a pod set it, or METALLB_NAMESPACE',
      '--node-name is missing: set it, or METALLB_NODE_NAME (downward API: spec.nodeName)',
      '--port=70000 must be a whole number from 0 to 65535',
      'METALLB_ML_BIND_PORT=abc must be a whole number from 1 to 65535',
      'stray is not a flag: a flag is written --name=value',
    ]);
  });

  const one: { args: string[]; says: string }[] = [
    { args: ['--nodename=a'], says: '--nodename does not exist: did you mean --node-name?' },
    { args: ['-port=1'], says: '-port=1 is not a flag: did you mean --port?' },
    { args: ['--something-else', 'value'], says: '--something-else does not exist' },
    { args: ['--toString=1'], says: '--toString does not exist' },
    { args: ['--port'], says: '--port has no value: write --port=PORT' },
    { args: ['--port=1', '--port=2'], says: '--port is given twice: keep one' },
    { args: ['--port='], says: '--port= must be a whole number from 0 to 65535' },
    { args: ['--port=0x10'], says: '--port=0x10 must be a whole number from 0 to 65535' },
    { args: ['--ignore-exclude-lb=yes'], says: '--ignore-exclude-lb=yes must be true or false' },
    { args: ['--port=17472'], says: '--port and --health-probe-port are both 17472: give them different ports' },
    {
      args: ['--config-namespaces=a,B!'],
      says: '--config-namespaces=a,B! must be names of namespaces separated by commas, such as herald-system,metallb-system',
    },
    {
      args: ['--webhook-mode=enabled'],
      says: '--webhook-mode belongs to the webhooks of MetalLB, which Herald does not have: remove it',
    },
  ];
  for (const { args, says } of one) test(`say: ${says}`, async () => assert.equal(await mistakesOf(pod(args)), [says]));

  test('say what is wrong with a regular expression', async () => {
    const [mistake = ''] = await mistakesOf(pod(['--exclude-interfaces=(eth']));
    assert.match(mistake, '--exclude-interfaces=(eth must be a regular expression: ');
  });

  test('are printed by --help, each with its default and variable', () => {
    const text = helpText('speaker', 'announces', speakerFlags);
    for (const [name, { help }] of Object.entries(speakerFlags))
      assert.ok(text.includes(`--${name}`) && text.includes(help), name);
    assert.match(text, '--node-name=NAME\n      The Node that this speaker runs on. (required; or METALLB_NODE_NAME)');
  });

  test('of both roles agree where they share a name', () => {
    const ofSpeaker = new Map<string, unknown>(Object.entries(speakerFlags));
    const shared = Object.entries(operatorFlags).filter(([name]) => ofSpeaker.has(name));
    assert.ok(shared.length > 5);
    for (const [name, flag] of shared) assert.is(ofSpeaker.get(name), flag);
  });

  test('guess a misspelt name only when it is near', () => {
    const names = ['port', 'pod-name', 'node-name'];
    assert.equal(
      ['prot', 'podname', 'note-name', 'x', 'completely-different'].map((word) => nearest(word, names)),
      ['port', 'pod-name', 'node-name', undefined, undefined],
    );
  });
});
