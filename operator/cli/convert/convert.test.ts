import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { spec } from '../../../testing/spec.ts';
import { convert } from './convert.ts';
import { remarkLine } from './remarks.ts';
import { renderConversion } from './render.ts';
import { configMap, samples } from './testing/samples.ts';

/** The objects as `Kind namespace/name` with their specs, and every remark as its line. */
function converted(text: string, namespace?: string) {
  const { objects, notes, errors, others } = convert([{ name: 'f.yaml', text }], { namespace });
  const specs = objects.map(({ kind, metadata, spec }) => [`${kind} ${metadata.namespace}/${metadata.name}`, spec]);
  return { specs, notes: notes.map(remarkLine), errors: errors.map(remarkLine), others };
}

spec('convert', (test) => {
  for (const { name, text, gives, notes = [] } of samples)
    test(name, () => {
      const result = converted(text);
      assert.equal(result.errors, []);
      assert.equal(result.specs, gives);
      assert.equal(result.notes, notes);
    });

  test('--namespace wins over what the source says', () => {
    const { specs } = converted(samples[0]?.text ?? '', 'herald-system');
    assert.equal(
      specs.map(([name]) => name),
      ['IPAddressPool herald-system/default', 'L2Advertisement herald-system/default'],
    );
  });

  test('what it printed, it leaves alone', () => {
    for (const { text } of samples) {
      const once = convert([{ name: 'f.yaml', text }]);
      const twice = convert([{ name: 'out.yaml', text: renderConversion(once) }]);
      assert.equal(twice.objects, once.objects);
      assert.equal(twice.errors, []);
    }
  });

  test('the notes stand on top of the manifests, and a password only where it stood', () => {
    const conversion = convert([{ name: 'f.yaml', text: samples[1]?.text ?? '' }]);
    const text = renderConversion(conversion);
    assert.ok(text.startsWith('# f.yaml:7, line 10 of data.config: peers[0].password stands here in clear'), text);
    assert.is(text.split('not to be seen').length, 2);
    assert.is(parseAllDocuments(text).length, conversion.objects.length);
  });
});

interface Refused {
  readonly name: string;
  readonly text: string;
  readonly errors: readonly string[];
}

const refused: readonly Refused[] = [
  {
    name: 'a protocol that does not exist',
    text: 'address-pools:\n- {name: a, protocol: l2, addresses: [192.0.2.0/28]}\n',
    errors: ['f.yaml:2: address-pools[0].protocol must be layer2 or bgp, not l2'],
  },
  {
    name: 'fields that are missing, all at once',
    text: 'address-pools:\n- protocol: bgp\npeers:\n- my-asn: 64512\n',
    errors: [
      'f.yaml:2: address-pools[0].name is missing',
      'f.yaml:2: address-pools[0].addresses is missing: a pool has at least one range',
      'f.yaml:4: peers[0].peer-asn is missing',
      'f.yaml:4: peers[0].peer-address is missing',
    ],
  },
  {
    name: 'wrong types, in a ConfigMap with the line of its text',
    text: configMap('peers:\n- my-asn: x\n  peer-asn: -1\n  peer-address: 10.0.0.1\n  hold-time: 90\n'),
    errors: [
      'f.yaml:7, line 2 of data.config: peers[0].my-asn must be a whole number from 0 to 4294967295',
      'f.yaml:7, line 3 of data.config: peers[0].peer-asn must be a whole number from 0 to 4294967295',
      'f.yaml:7, line 5 of data.config: peers[0].hold-time must be a text: put it in quotes',
    ],
  },
  {
    name: 'a duration without a unit',
    text: 'peers:\n- {my-asn: 1, peer-asn: 2, peer-address: 10.0.0.1, hold-time: "90"}\n',
    errors: ['f.yaml:2: peers[0].hold-time must be a duration such as 90s, not 90'],
  },
  {
    name: 'a text that is no YAML',
    text: configMap('address-pools: [\n'),
    errors: ['f.yaml:7, line 2 of data.config: '],
  },
  {
    name: 'the same object twice',
    text: ['a', 'b']
      .map(
        (zone) => `apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: p}\nspec: {zone: ${zone}}\n`,
      )
      .join('---\n'),
    errors: ['f.yaml:6: IPAddressPool p comes a second time: it is at f.yaml:1 too'],
  },
];

spec('convert refuses', (test) => {
  for (const { name, text, errors } of refused)
    test(name, () => {
      const found = converted(text).errors;
      assert.is(found.length, errors.length, found.join('\n'));
      for (const [at, error] of errors.entries()) assert.ok(found[at]?.startsWith(error), found[at]);
    });

  test('what the API server would refuse is told with its place, and without the password', () => {
    const { notes } = converted(
      'address-pools:\n- {name: a, protocol: layer2, addresses: [192.0.2.0/33]}\n---\napiVersion: metallb.io/v1beta2\nkind: BGPPeer\nmetadata: {name: p}\nspec: {myASN: 1, peerASN: 2, peerAddress: 10.0.0.1, password: 4711}\n',
    );
    assert.match(notes.join('\n'), /f.yaml:2: IPAddressPool a will be refused: spec.addresses\[0\] /);
    assert.match(notes.join('\n'), /BGPPeer p will be refused: spec.password cannot be used/);
    assert.not.match(notes.join('\n'), /4711/);
  });

  test('a ConfigMap of somebody else is none of its business', () => {
    const { specs, errors, others } = converted(
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\ndata: {config: "a: ["}\n',
    );
    assert.equal([specs, errors, others], [[], [], 1]);
  });
});
